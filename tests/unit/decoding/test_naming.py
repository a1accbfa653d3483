"""Names as the connector adjusts them for Avro and Kafka."""

from __future__ import annotations

import pytest

from pipeline.decoding.naming import field_name, topic_name


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("vecKey", "vecKey"),
        ("vec key", "vec_key"),
        ("1st", "_1st"),
        ("Straße", "Stra_e"),
        ("a-b.c/d", "a_b_c_d"),
        ("_x", "_x"),
        ("", ""),
    ],
)
def test_a_column_becomes_a_field_name_that_avro_allows(column: str, field: str) -> None:
    """Every other sign is an underscore; a digit in front gets one before it."""
    assert field_name(column) == field


@pytest.mark.parametrize(
    ("table", "topic"),
    [
        ("AxVec", "ajera.AxVec"),
        ("My Table", "ajera.My_Table"),
        ("a-b_c", "ajera.a-b_c"),
    ],
)
def test_a_table_becomes_a_topic_name_that_kafka_allows(table: str, topic: str) -> None:
    """Hyphens stay, for Kafka allows them."""
    assert topic_name("ajera", table) == topic
