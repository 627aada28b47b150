from server.service.convert.template_alias import template_alias_to_proto
from tests.fixtures.entities import ALIAS
from tests.fixtures.messages import all_fields, fields


def test_every_field_of_an_alias_is_filled() -> None:
    message = template_alias_to_proto(ALIAS)
    assert fields(message) == all_fields(message)
    assert (message.namespace, message.name, message.alias) == ("shop", "order", "prod")
    assert (message.version, message.template_id) == ("1.2.3", 7)
