"""Sending a message: by the site's sendmail, to a webhook, or to a program."""

import getpass
import json
import shlex
import shutil
import subprocess
import urllib.request
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from launch.notify.message import Message
from launch.notify.webhook import VARIABLE, webhook_address
from pcm.config.structures.notify import WEBHOOK, is_program
from pcm.errors import RefusedError

_PATIENCE_S = 10.0
"""Somebody may wait for a table meanwhile."""

_SENDMAILS = "/usr/sbin:/usr/lib:/usr/bin"
"""Where sendmail is on machines that don't have it in users' PATH."""


def send(target: str, message: Message) -> None:
    """Send a message to one target.

    Raises:
        RefusedError: it could not be handed over.
    """
    try:
        if target == WEBHOOK:
            _post(_require_address(), message)
        elif is_program(target):
            program, *arguments = shlex.split(target)
            _run([str(Path(program).expanduser()), *arguments], message.text)
        else:
            _run([_sendmail(), "-t", "-i"], _mail(target, message))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = _without_address(error) if target == WEBHOOK else _in_words(error)
        raise RefusedError(f"{_shown(target)} could not be told: {reason}") from None


def _shown(target: str) -> str:
    """A program without its arguments, which may hold secrets."""
    return target.split(maxsplit=1)[0] if is_program(target) else target


def _in_words(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):  # which tells the arguments
        return f"it was not done within {_PATIENCE_S:.0f} s"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _without_address(error: Exception) -> str:
    """What is wrong, in words of ours: a webhook's address is a secret, and errors may tell it."""
    if isinstance(error, HTTPError):
        return f"it answers {error.code}"
    cause = error.reason if isinstance(error, URLError) else error
    return type(cause).__name__


def _require_address() -> str:
    address = webhook_address()
    if address is None:
        raise RefusedError("the webhook has no address here", f"set {VARIABLE}, or your settings'")
    return address


def _post(address: str, message: Message) -> None:
    """Slack and Mattermost take JSON; ntfy takes the text as it is."""
    is_ntfy = "ntfy" in (urlsplit(address).hostname or "")
    body = message.text if is_ntfy else json.dumps({"text": message.text})
    headers = {"Content-Type": "text/plain" if is_ntfy else "application/json"}
    request = urllib.request.Request(address, body.encode(), headers, method="POST")
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=_PATIENCE_S):
        pass


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A message would follow as a GET without its text, and a page to log in answers 200."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none, so that the answer is an error."""


def _mail(address: str, message: Message) -> str:
    mail = EmailMessage()
    mail["To"] = address
    mail["From"] = getpass.getuser()
    mail["Subject"] = message.subject
    mail.set_content(message.text)
    return mail.as_string()


def _sendmail() -> str:
    found = shutil.which("sendmail") or shutil.which("sendmail", path=_SENDMAILS)
    if found is None:
        raise RefusedError("there is no sendmail on this machine", "use a webhook or a program")
    return found


def _run(command: Sequence[str], text: str) -> None:
    # What it prints may hold secrets, and what it leaves running may hold a pipe open.
    nowhere = subprocess.DEVNULL
    done = subprocess.run(
        command,
        input=text,
        text=True,
        stdout=nowhere,
        stderr=nowhere,
        timeout=_PATIENCE_S,
        check=False,
    )
    if done.returncode != 0:
        raise RefusedError(f"{command[0]} ended with exit code {done.returncode}")
