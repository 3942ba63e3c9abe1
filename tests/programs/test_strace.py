"""Lines as strace 6.1 wrote them, and the calls that they tell of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioecho.model import Call, Endpoint
from trioecho.programs.calls import TracedCalls
from trioecho.programs.strace import Strace, Traced, split

NS = 1_000_000_000
T = 1795419629 * NS
LOCAL, PEER = Endpoint("10.0.0.1", 55478), Endpoint("10.0.0.2", 80)
SERVER = (
    "{sa_family=AF_INET, sin_port=htons(80),"
    r' sin_addr=inet_addr("\x31\x30\x2e\x30\x2e\x30\x2e\x32")}'
)
CLIENT = (
    "{sa_family=AF_INET, sin_port=htons(55478),"
    r' sin_addr=inet_addr("\x31\x30\x2e\x30\x2e\x30\x2e\x31")}'
)
SIX = (
    "{sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0),"
    r' inet_pton(AF_INET6, "\x3a\x3a\x31", &sin6_addr), sin6_scope_id=0}'
)
MAPPED = (
    "{sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6,"
    r' "\x3a\x3a\x66\x66\x66\x66\x3a\x31\x30\x2e\x30\x2e\x30\x2e\x32", &sin6_addr),'
    " sin6_scope_id=0}"
)
OPEN = "5<TCP:[10.0.0.1:55478->10.0.0.2:80]>"
WHEN = "7072  1795419629.000001000 "


def short(call: Call) -> tuple[object, ...]:
    shown = call.name, call.fd, call.arguments, call.error or call.result
    return (*shown, call.data) if call.data else shown


# What follows the task and the time, and what comes of it.
TABLE = [
    (
        "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3<TCP:[804795]> <0.000022000>",
        [("socket", 3, "AF_INET", 3)],
    ),
    (
        "socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) = 3<TCPv6:[804795]> <0.000022000>",
        [("socket", 3, "AF_INET6", 3)],
    ),
    (
        "socket(AF_INET, SOCK_STREAM, 0) = -1 EMFILE (Too many open files) <0.000004000>",
        [],
    ),
    ("socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 4<UDP:[804796]> <0.000022000>", []),
    ("socket(AF_UNIX, SOCK_STREAM, 0) = 3<UNIX-STREAM:[804796]> <0.000022000>", []),
    (
        "setsockopt(3<TCP:[804795]>, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0 <0.000015000>",
        [("setsockopt", 3, "SO_REUSEADDR 1", 0)],
    ),
    (
        f"setsockopt({OPEN}, SOL_SOCKET, SO_LINGER, {{l_onoff=1, l_linger=0}}, 8) = 0"
        " <0.000006247>",
        [("setsockopt", 5, "SO_LINGER {l_onoff=1, l_linger=0}", 0)],
    ),
    (
        "setsockopt(3<TCP:[804795]>, SOL_IPV6, IPV6_V6ONLY, [0], 4) = -1 ENOPROTOOPT (Protocol"
        " not available) <0.000006000>",
        [("setsockopt", 3, "IPV6_V6ONLY 0", "ENOPROTOOPT")],
    ),
    (f"bind(3<TCP:[804795]>, {SERVER}, 16) = 0 <0.000021000>", [("bind", 3, "10.0.0.2:80", 0)]),
    (
        f"bind(3<TCP:[804795]>, {SERVER}, 16) = -1 EADDRINUSE (Address already in use)"
        " <0.000021000>",
        [("bind", 3, "10.0.0.2:80", "EADDRINUSE")],
    ),
    (f"bind(3<TCPv6:[804795]>, {SIX}, 28) = 0 <0.000021000>", [("bind", 3, "[::1]:1", 0)]),
    ("listen(3<TCP:[10.0.0.2:80]>, 128) = 0 <0.000016000>", [("listen", 3, "128", 0)]),
    (
        f"accept4(3<TCP:[10.0.0.2:80]>, {CLIENT}, [16], SOCK_CLOEXEC) ="
        " 4<TCP:[10.0.0.2:80->10.0.0.1:55478]> <0.003450000>",
        [("accept", 3, "", 4)],
    ),
    (
        "accept(3<TCP:[10.0.0.2:80]>, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)"
        " <0.000004000>",
        [],
    ),
    (
        f"connect(5<TCP:[804805]>, {SERVER}, 16) = 0 <0.000091000>",
        [("connect", 5, "10.0.0.2:80", None), ("connect", 5, "10.0.0.2:80", 0)],
    ),
    (
        f"connect(5<TCPv6:[804805]>, {MAPPED}, 28) = 0 <0.000091000>",
        [("connect", 5, "10.0.0.2:80", None), ("connect", 5, "10.0.0.2:80", 0)],
    ),
    (
        f"connect(4<TCPv6:[804824]>, {SIX}, 28) = -1 ECONNREFUSED (Connection refused)"
        " <0.000079000>",
        [("connect", 4, "[::1]:1", None), ("connect", 4, "[::1]:1", "ECONNREFUSED")],
    ),
    (
        f"connect(4<TCP:[804815]>, {SERVER}, 16) = -1 EINPROGRESS (Operation now in progress)"
        " <0.000058000>",
        [("connect", 4, "10.0.0.2:80", None)],
    ),
    (
        r'connect(4<UNIX-STREAM:[1]>, {sa_family=AF_UNIX, sun_path="\x2f"}, 110) = 0 <0.000004000>',
        [],
    ),
    (
        rf'sendto({OPEN}, "\x68\x69\x0a\xff\x22", 5, 0, NULL, 0) = 5 <0.000045000>',
        [("send", 5, "", 5, b'hi\n\xff"')],
    ),
    (rf'write({OPEN}, "\x68"..., 100000) = 65536 <0.000045000>', [("write", 5, "", 65536, b"h")]),
    (
        rf'writev({OPEN}, [{{iov_base="\x61\x62", iov_len=2}}, {{iov_base="\x63\x64",'
        r" iov_len=2}], 2) = 4 <0.000067000>",
        [("writev", 5, "", 4, b"abcd")],
    ),
    (
        rf"sendmsg({OPEN}, {{msg_name=NULL, msg_namelen=0, msg_iov=[{{iov_base="
        r'"\x61\x62\x63", iov_len=3}, {iov_base="\x64\x65\x66", iov_len=3}], msg_iovlen=2,'
        r" msg_controllen=0, msg_flags=0}, 0) = 6 <0.000012110>",
        [("sendmsg", 5, "", 6, b"abcdef")],
    ),
    (
        rf"sendfile({OPEN}, 7<\x2f\x65\x74\x63>, [0] => [100], 100) = 100 <0.000118381>",
        [("sendfile", 5, "", 100)],
    ),
    (f"splice(7<pipe:[1]>, NULL, {OPEN}, NULL, 9, 0) = 9 <0.000118381>", [("splice", 5, "", 9)]),
    (f"splice({OPEN}, NULL, 7<pipe:[1]>, NULL, 9, 0) = 9 <0.000118381>", [("read", 5, "9", 9)]),
    (
        rf'recvfrom({OPEN}, "\x78\x3a"..., 65536, 0, NULL, NULL) = 100 <0.000005074>',
        [("recv", 5, "65536", 100, b"x:")],
    ),
    (
        f'recvfrom({OPEN}, "", 1, 0, 0x7ffe911d7be0, [16 => 0]) = 0 <0.000152000>',
        [("recv", 5, "1", 0)],
    ),
    (f'recvfrom({OPEN}, "", 1, 0, NULL, NULL) = 0 <0.000152000>', [("recv", 5, "1", 0)]),
    (
        f"recvfrom({OPEN}, 0x7f8bfc996180, 100, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily"
        " unavailable) <0.000004292>",
        [],
    ),
    (
        f"recvfrom({OPEN}, 0x55, 100, 0, NULL, NULL) = -1 ECONNRESET (Connection reset by peer)"
        " <0.000004292>",
        [("recv", 5, "100", "ECONNRESET")],
    ),
    (
        f"recvfrom({OPEN}, 0x55, 100, 0, NULL, NULL) = ? ERESTARTSYS (To be restarted if"
        " SA_RESTART is set) <0.000004292>",
        [],
    ),
    (rf'read({OPEN}, "\x68\x69", 4096) = 2 <0.000004292>', [("read", 5, "4096", 2, b"hi")]),
    (r'read(0</dev/null>, "\x68\x69", 4096) = 2 <0.000004292>', []),
    (f"shutdown({OPEN}, SHUT_WR) = 0 <0.000035000>", [("shutdown", 5, "SHUT_WR", 0)]),
    (f"close({OPEN}) = 0 <0.000012000>", [("close", 5, "", 0)]),
    (f"close({OPEN})       = 0 <0.000012000>", [("close", 5, "", 0)]),
    (f"close({OPEN}) = ?", []),
    (f"getsockname({OPEN}, {CLIENT}, [128 => 16]) = 0 <0.000007000>", []),
    (f"getsockopt({OPEN}, SOL_SOCKET, SO_ERROR, [0], [4]) = 0 <0.000020000>", []),
    ("+++ exited with 0 +++", []),
    ("--- SIGINT {si_signo=SIGINT, si_code=SI_USER, si_pid=1, si_uid=0} ---", []),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_what_a_line_tells(text: str, expected: list[tuple[object, ...]]) -> None:
    assert [short(call) for call in TracedCalls("client").line(WHEN + text)] == expected


def test_times_and_ends() -> None:
    calls = TracedCalls("client")
    asked, told = calls.line(f"{WHEN}connect(5<TCP:[8]>, {SERVER}, 16) = 0 <0.000091000>")
    assert (asked.time, told.time) == (T + 1_000, T + 92_000)
    assert (told.local, told.peer, told.socket) == (None, PEER, "connection")
    (sent,) = calls.line(rf'{WHEN}sendto({OPEN}, "\x68", 1, 0, NULL, 0) = 1 <0.000045000>')
    assert (sent.time, sent.local, sent.peer) == (T + 1_000, LOCAL, PEER)
    (waited,) = calls.line(rf'{WHEN}sendto({OPEN}, "\x68", 1, 0, NULL, 0) = 1 <2.000000000>')
    assert waited.time == T + 1_000 + 2 * NS
    (got,) = calls.line(rf'{WHEN}recvfrom({OPEN}, "\x68", 1, 0, NULL, NULL) = 1 <0.000045000>')
    assert got.time == T + 46_000


def test_the_two_sockets_of_a_server() -> None:
    calls = TracedCalls("server")
    lines = [
        "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[804795]> <0.000022000>",
        f"bind(3<TCP:[804795]>, {SERVER}, 16) = 0 <0.000021000>",
        "listen(3<TCP:[10.0.0.2:80]>, 128) = 0 <0.000016000>",
        "accept4(3<TCP:[10.0.0.2:80]>, NULL, NULL, 0) = 4<TCP:[10.0.0.2:80->10.0.0.1:55478]>"
        " <0.003450000>",
        "close(4<TCP:[10.0.0.2:80->10.0.0.1:55478]>) = 0 <0.000012000>",
        "close(3<TCP:[10.0.0.2:80]>) = 0 <0.000012000>",
    ]
    got = [call for line in lines for call in calls.line(WHEN + line)]
    kinds = ["listening"] * 4 + ["connection", "listening"]
    assert [call.socket for call in got] == kinds
    accept = got[3]
    assert (accept.fd, accept.result, accept.local, accept.peer) == (3, 4, PEER, LOCAL)


def test_a_line_in_two() -> None:
    """Threads: another's line comes between, and a call that was interrupted begins again."""
    calls = TracedCalls("client")
    lines = [
        rf"7115  1795419629.000001000 recvfrom({OPEN},  <unfinished ...>",
        "7114  1795419629.000002000 accept4(3<TCP:[10.0.0.1:9]>,  <unfinished ...>",
        r'7115  1795419629.500001000 <... recvfrom resumed>"\x68\x69", 100, 0, NULL, NULL) = 2'
        " <0.500000000>",
        f"7072  1795419629.600000000 close({OPEN} <unfinished ...>",
        "7072  1795419629.700000000 <... close resumed>) = 0 <0.100000000>",
        f'7072  1795419629.700000000 sendto({OPEN}, "", 1000000, 0, NULL, 0) = 1000000'
        " <0.500000001>",
        "7114  1795419629.800000000 <... accept4 resumed>NULL, NULL, 0) = ? ERESTARTSYS (To be"
        " restarted if SA_RESTART is set) <0.700000000>",
        "7116  1795419629.900000000 <... recvfrom resumed>) = 2 <0.500000000>",
    ]
    got = [call for line in lines for call in calls.line(line)]
    assert [call.name for call in got] == ["recv", "close", "send"]
    assert short(got[0]) == ("recv", 5, "100", 2, b"hi")
    # A close that a busy machine held up is placed where it was made; a send that waited is not.
    assert [call.time for call in got] == [T + 500_001_000, T + 600_000_000, T + 1_200_000_001]


def test_a_connect_is_told_before_it_returns() -> None:
    """One that waits for a lost SYN is the story, so it is not told a second late."""
    begun = f"{WHEN}connect(5<TCP:[804805]>, {SERVER}, 16"
    asked = [("connect", 5, "10.0.0.2:80", None)]
    told = [("connect", 5, "10.0.0.2:80", 0)]
    calls = TracedCalls("client")
    assert [short(call) for call in calls.beginning(begun)] == asked
    assert calls.beginning(begun) == []
    assert [short(call) for call in calls.line(begun + ") = 0 <1.020000000>")] == told
    calls = TracedCalls("client")
    assert [short(call) for call in calls.line(begun + " <unfinished ...>")] == asked
    resumed = "7072  1795419630.100000000 <... connect resumed>) = 0 <1.100000000>"
    assert [short(call) for call in calls.line(resumed)] == told


@pytest.mark.parametrize(("value", "end"), [("0", 0), ("ECONNREFUSED", "ECONNREFUSED")])
@pytest.mark.parametrize("shown", ["TCP:[804815]", "TCP:[10.0.0.1:55478->10.0.0.2:80]"])
def test_a_connect_that_goes_on_by_itself(shown: str, value: str, end: object) -> None:
    calls = TracedCalls("client")
    calls.line(
        f"{WHEN}connect(4<TCP:[804815]>, {SERVER}, 16) = -1 EINPROGRESS (Operation now in"
        " progress) <0.000058000>"
    )
    asked = f"{WHEN}getsockopt(4<{shown}>, SOL_SOCKET, SO_ERROR, [{value}], [4]) = 0 <0.000020000>"
    (call,) = calls.line(asked)
    assert short(call) == ("connect", 4, "10.0.0.2:80", end)
    assert call.peer == PEER
    assert calls.line(asked) == []


@pytest.mark.parametrize(("value", "deferred"), [("1", True), ("0", False)])
def test_a_connect_that_waits_for_data(value: str, deferred: bool) -> None:
    calls = TracedCalls("client")
    calls.line(
        f"{WHEN}setsockopt(4<TCP:[8]>, SOL_TCP, TCP_FASTOPEN_CONNECT, [{value}], 4) = 0"
        " <0.000010000>"
    )
    _, other = calls.line(f"{WHEN}connect(4<TCP:[9]>, {SERVER}, 16) = 0 <0.000058000>")
    _, connected = calls.line(f"{WHEN}connect(4<TCP:[8]>, {SERVER}, 16) = 0 <0.000058000>")
    assert (other.deferred, connected.deferred) == (False, deferred)


def test_a_socket_that_was_bound_before_it_connects() -> None:
    """strace goes on showing what it saw after bind."""
    calls = TracedCalls("client")
    calls.line(f"{WHEN}connect(6<TCPv6:[[::]:57953]>, {MAPPED}, 28) = 0 <0.000049413>")
    (sent,) = calls.line(
        rf'{WHEN}sendto(6<TCPv6:[[::]:57953]>, "\x78", 1, 0, NULL, 0) = 1 <0.000021796>'
    )
    assert (sent.local, sent.peer) == (Endpoint("::", 57953), PEER)


@pytest.mark.parametrize(
    ("rest", "ended"),
    [
        ("+++ exited with 0 +++", True),
        ("+++ killed by SIGKILL +++", True),
        ("--- stopped by SIGTSTP ---", False),
        ("close(3<TCP:[8]>) = 0 <0.000010000>", False),
    ],
)
def test_the_end_of_a_task(rest: str, ended: bool) -> None:
    calls = TracedCalls("server")
    assert calls.exited(f"{WHEN}{rest}") == ((7072, T + 1_000) if ended else None)


def test_without_a_task() -> None:
    """With one task alone, and output to a terminal, strace leaves it out."""
    traced = Strace().line("1795419629.000001000 close(3<TCP:[1]>) = 0 <0.000012000>")
    assert traced == Traced(0, T + 1_000, 12_000, "close", ("3<TCP:[1]>",), "0")


def test_split_keeps_brackets_whole() -> None:
    assert split("") == ()
    assert split("1, [2, {3, (4, 5)}], 6") == ("1", "[2, {3, (4, 5)}]", "6")
    assert split("1, ") == ("1", "")


@given(
    st.text()
    | st.sampled_from([one for one, _ in TABLE]).flatmap(
        lambda line: st.integers(0, len(line)).map(lambda at: WHEN + line[:at])
    )
)
def test_any_line_is_survived(text: str) -> None:
    calls = TracedCalls("server")
    calls.line(text)
    calls.beginning(text)
