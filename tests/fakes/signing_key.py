"""A key that signs page tokens."""


class FakeSigningKey:
    """`biz.paging.SigningKey`."""

    def __init__(self, key: str = "a key for tests") -> None:
        self._key = key

    async def get(self) -> str:
        return self._key
