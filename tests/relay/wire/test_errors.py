from relay.wire.errors import CloseCode, Disconnected, ErrorCode, WireError


def test_our_own_close_codes_are_in_the_private_range_of_rfc_6455() -> None:
    assert all(1000 <= code <= 1015 or 4000 <= code <= 4999 for code in CloseCode)


def test_a_wire_error_leaves_the_session_open_unless_it_names_a_close_code() -> None:
    assert WireError(ErrorCode.BAD_AUDIO, "x").close is None
    assert WireError(ErrorCode.FLOOD, "x", CloseCode.FLOOD).close == 4003


def test_a_disconnection_reads_as_its_reason_and_code() -> None:
    assert str(Disconnected(CloseCode.IDLE, "nothing came")) == "nothing came (4006)"
