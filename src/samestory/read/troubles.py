"""What an error of a file system means for the user, and what to do about it."""

from __future__ import annotations

import re
from typing import Final

from samestory.read.addresses import without_secrets

_DAMAGED: Final = "the file may be cut off or damaged, or of another format (see --format)"
_RIGHTS: Final = "check your rights and credentials"
_NETWORK: Final = "check the network and the address"
_OF_S3: Final = {
    _RIGHTS: f"{_RIGHTS}: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    _NETWORK: f"{_NETWORK}; of another S3 than Amazon's set AWS_ENDPOINT_URL",
}
_LOCAL: Final = "check the rights of the file"
_KINDS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|INVALID_SIGNATURE|InvalidAccessKeyId"
        r"|UNRECOGNIZED_CLIENT|EXPIRED_TOKEN|ExpiredToken|InvalidToken|HTTP status 40[13]\b|PERMISSION_DENIED"
        r"|UNAUTHENTICATED|\b40[13], message|AuthenticationException|AuthenticationFailed",
        "access is denied",
        _RIGHTS,
    ),
    (r"OAuth2 access token|DefaultAzureCredential", "there are no credentials", _RIGHTS),
    (r"NO_SUCH_BUCKET|Bucket '.*' not found", "there is no such bucket", "check the bucket's name"),
    (
        r"NETWORK_CONNECTION|Could(n't| not) (connect|resolve)|Cannot connect|getaddrinfo|TimeoutError"
        r"|Timeout was reached|Connection (refused|reset)|ClientConnector|ClientPayload|ServerDisconnected"
        r"|CURL error|no answer within",
        "there is no connection",
        _NETWORK,
    ),
    (r"HTTP status 301|PERMANENT_REDIRECT|PermanentRedirect", "the bucket is elsewhere", "set AWS_REGION"),
    (
        r"SLOW_DOWN|SlowDown|\b429, message|\b50[0-9], message|HTTP status 50[0-9]",
        "the server is at its limits",
        "try again later",
    ),
    (r"Unable to load lib(jvm|hdfs)", "Java or Hadoop is not found", "set JAVA_HOME and HADOOP_HOME"),
    (
        r"Cannot seek streaming HTTP file|support range requests",
        "the server does not give parts of a file",
        "download it first, or give the articles as JSON Lines or CSV",
    ),
    (r"\[Errno 13\]|Permission denied", "access is denied", _LOCAL),
)
_PATTERNS: Final = tuple((re.compile(pattern), meaning, hint) for pattern, meaning, hint in _KINDS)
_MOST_CHARACTERS: Final = 300


def explain(error: BaseException, kind: str) -> tuple[str, str]:
    """Say what is wrong, in one line, and what to do.

    Parameters
    ----------
    error : exception
        Of PyArrow, the system or another library.
    kind : str
        What was to be read.
    """
    text = str(error).strip() or type(error).__name__
    detail = without_secrets(text.splitlines()[0])
    detail = detail if len(detail) <= _MOST_CHARACTERS else f"{detail[:_MOST_CHARACTERS]}…"
    for pattern, meaning, hint in _PATTERNS:
        if pattern.search(text):
            return f"{meaning}: {detail}", _OF_S3.get(hint, hint) if "AWS Error" in text else hint
    return f"cannot be read as {kind}: {detail}", _DAMAGED
