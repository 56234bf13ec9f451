import threading

import pytest

from bubbleloc.process import ahead


def test_items_come_in_order_from_another_thread_one_ahead():
    made = []

    def items():
        for number in range(4):
            made.append((number, threading.get_ident()))
            yield number

    read = ahead(items())
    assert next(read) == 0
    assert list(read) == [1, 2, 3]
    assert [number for number, _ in made] == [0, 1, 2, 3]
    assert threading.get_ident() not in {thread for _, thread in made}


def test_an_error_comes_where_its_item_would():
    def items():
        yield 1
        raise ValueError("broken")

    read = ahead(items())
    assert next(read) == 1
    with pytest.raises(ValueError, match="broken"):
        next(read)


def test_what_is_not_read_on_stops():
    before, made = threading.active_count(), []

    def items():
        for number in range(1000):
            made.append(number)
            yield number

    read = ahead(items())
    next(read)
    read.close()
    assert len(made) <= 2
    assert threading.active_count() == before
