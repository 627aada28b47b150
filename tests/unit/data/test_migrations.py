"""Migrations, by their names."""

import pkgutil

from data import migrations


def test_each_has_a_number_of_its_own() -> None:
    names = [module.name for module in pkgutil.iter_modules(migrations.__path__)]
    assert [int(name[:4]) for name in sorted(names)] == list(range(1, len(names) + 1))
