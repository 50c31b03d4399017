from __future__ import annotations

import subprocess
import sys

import pytest

from relay.without import without


def test_a_package_is_not_there_within_and_is_after_it() -> None:
    assert "this" not in sys.modules
    with without("this"), pytest.raises(ImportError):
        import this  # noqa: F401
    assert "this" not in sys.modules


def test_what_is_loaded_already_stays() -> None:
    with without("sys", "subprocess"):
        import subprocess as again
    assert again is subprocess


def test_the_same_holds_where_the_import_fails() -> None:
    with pytest.raises(ImportError), without("this"):
        import no_such_package  # noqa: F401
    assert "this" not in sys.modules


def test_gemini_takes_no_second_http_client_along_and_leaves_it_to_those_who_need_it() -> None:
    pytest.importorskip("google.genai")
    pytest.importorskip("aiohttp")
    code = (
        "import relay.gemini_server, relay.llm.gemini, sys; "
        "print('aiohttp' in sys.modules); import aiohttp; print(aiohttp.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "aiohttp"]


def test_what_draws_tracebacks_in_colour_is_not_loaded_and_one_is_logged_all_the_same() -> None:
    code = (
        "from relay import log; import structlog, sys; log.configure('text', 'info')\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: structlog.get_logger().exception('broken')\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert "ZeroDivisionError: division by zero" in done.stderr
