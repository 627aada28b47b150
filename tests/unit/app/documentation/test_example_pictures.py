from app.documentation.example_pictures import PICTURES, pictures


def test_the_pictures_of_the_examples_are_up_to_date() -> None:
    kept = {file.name: file.read_text() for file in PICTURES.iterdir()}
    assert kept == pictures(), "run make docs"
