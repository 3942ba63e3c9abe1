"""Gives up root's rights once the sockets that need them are open."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from trioecho.errors import TrioechoError


def drop_privileges(environment: Mapping[str, str] = os.environ) -> bool:
    """Becomes the user who called sudo, for good.

    Frames are hostile, and reading them needs no rights once the sockets are open. Files written
    from now on belong to that user. Without sudo, or with sudo called by root, root stays root.

    Raises:
        TrioechoError: the rights cannot be given up.

    See also:
        sudo(8), setresuid(2), capabilities(7): leaving the user id 0 clears all capabilities.
    """
    if os.name != "posix" or os.geteuid() != 0:
        return False
    uid, gid = environment.get("SUDO_UID", ""), environment.get("SUDO_GID", "")
    if not (uid.isdecimal() and gid.isdecimal() and int(uid)):
        return False
    _become(int(uid), int(gid))
    return True


def _become(uid: int, gid: int) -> None:
    try:
        try:
            groups = os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
        except KeyError:
            groups = [gid]
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except (OSError, OverflowError) as error:  # the number is too large for a user
        raise TrioechoError(
            f"Cannot become user {uid}, who called sudo: {getattr(error, 'strerror', error)}",
            "Nothing was captured",
        ) from None
    for back in (os.setuid, os.seteuid):
        try:
            back(0)
        except PermissionError:
            continue
        raise TrioechoError("The kernel would let this process become root again", "It ends here")
