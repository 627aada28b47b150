"""What is deleted with an execution."""

import peewee

from data import models
from data.belongings import BELONGINGS


def test_every_table_with_an_execution_id_is_listed() -> None:
    listed = {belonging.owner.model for belonging in BELONGINGS}
    known = [found for found in vars(models).values() if isinstance(found, type)]
    owned = {
        model
        for model in known
        if issubclass(model, peewee.Model) and "execution_id" in model._meta.fields
    }
    assert owned <= listed
