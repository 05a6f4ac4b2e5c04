"""Providers: whose tokens let members in, by the settings."""

import time
from pathlib import Path
from typing import Final

from access.jwks import Jwks
from access.signatures import KeySet, OneKey
from access.tokens import Tokens
from server.clock import Clock
from server.settings import BadSetting, Settings, variable_of

PEM: Final = "-----BEGIN "


def open_provider(settings: Settings, clock: Clock) -> Tokens | None:
    """What verifies members' tokens; None where no member is let in. Raises BadSetting."""
    stated = [name for name in ("jwt_jwks_url", "jwt_public_key") if getattr(settings, name)]
    if not stated:
        return None
    if len(stated) > 1:
        raise BadSetting(f"Set only one of {' and '.join(map(variable_of, stated))}.")
    for name in ("jwt_issuer", "jwt_audience"):
        if not getattr(settings, name):
            raise BadSetting(f"{variable_of(name)} must be set with {variable_of(stated[0])}.")
    return Tokens(
        _keys(settings),
        settings.jwt_issuer,
        settings.jwt_audience,
        settings.jwt_algorithms,
        clock,
    )


def _keys(settings: Settings) -> KeySet:
    if settings.jwt_jwks_url:
        return Jwks(settings.jwt_jwks_url, settings.jwt_algorithms, time.monotonic)
    stated, called = settings.jwt_public_key, variable_of("jwt_public_key")
    is_pem = stated.lstrip().startswith(PEM)
    named = called if is_pem else f"{called}: {stated}"
    try:
        pem = stated.encode() if is_pem else Path(stated).read_bytes()
        return OneKey(pem, settings.jwt_algorithms)
    except OSError as error:
        raise BadSetting(f"{named} can't be read: {error.strerror}.") from error
    except ValueError as error:
        algorithms = " ".join(settings.jwt_algorithms)
        raise BadSetting(
            f"{named} is no public key in PEM that verifies any of {algorithms}."
        ) from error
