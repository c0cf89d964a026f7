"""What the clients' checks have in common."""

import os
import sys

import openai


def expect(holds, *what):
    if not holds:
        raise SystemExit(f"{os.path.basename(sys.argv[0])}: failed: {what}")


def expect_error(kind, status, call, param=None, code=None):
    """The call is refused so, with OpenAI's error object."""
    try:
        call()
    except kind as error:
        expect(error.status_code == status, error.status_code, status)
        expect(set(error.body) == {"message", "type", "param", "code"} and error.body["message"], error.body)
        expect(param is None or error.param == param, error.param, param)
        expect(code is None or error.code == code, error.code, code)
        return
    except openai.APIError as error:
        raise SystemExit(f"expected {status}, found {error!r}") from None
    raise SystemExit(f"not refused with {status}: {param or code}")
