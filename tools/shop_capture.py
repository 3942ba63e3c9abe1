"""Makes the capture file of a tutorial: ``python tools/shop_capture.py``.

Four connections to one server, written as ladders; the tutorial finds what is wrong with each. A
test makes the file again and compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from captures import pcap  # noqa: E402
from frames import RAW, frames  # noqa: E402

PATH = ROOT / "docs" / "captures" / "shop.pcap"

LADDER = """
# 1: all is well
+0    >1 S  0:0(0) win 64240 <mss 1460,sackOK,wscale 7>
+.012 <1 S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,wscale 7>
+.001 >1 .  1:1(0) ack 1 win 502
+.001 >1 P. 1:201(200) ack 1 win 502
+.014 <1 P. 1:901(900) ack 201 win 508
+.001 >1 .  201:201(0) ack 901 win 501
+.001 >1 F. 201:201(0) ack 901 win 501
+.013 <1 F. 901:901(0) ack 202 win 508
+.001 >1 .  202:202(0) ack 902 win 501
# 2: its second segment is lost twice
+.1   >2 S  0:0(0) win 64240 <mss 1460,sackOK,wscale 7>
+.012 <2 S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,wscale 7>
+.001 >2 .  1:1(0) ack 1 win 502
+.001 >2 P. 1:201(200) ack 1 win 502
+.212 >2 P. 1:201(200) ack 1 win 502
+.424 >2 P. 1:201(200) ack 1 win 502
+.013 <2 P. 1:901(900) ack 201 win 508
+.001 >2 .  201:201(0) ack 901 win 501
+.001 >2 F. 201:201(0) ack 901 win 501
+.013 <2 F. 901:901(0) ack 202 win 508
+.001 >2 .  202:202(0) ack 902 win 501
# 3: the server closes without having read everything
+.1   >3 S  0:0(0) win 64240 <mss 1460,sackOK,wscale 7>
+.012 <3 S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,wscale 7>
+.001 >3 .  1:1(0) ack 1 win 502
+.001 >3 P. 1:201(200) ack 1 win 502
+.012 <3 .  1:1(0) ack 201 win 508
+.030 >3 P. 201:1401(1200) ack 1 win 502
+.014 <3 R. 1:1(0) ack 201 win 508
# 4: the client reads too slowly
+.1   >4 S  0:0(0) win 2920 <mss 1460>
+.012 <4 S. 0:0(0) ack 1 win 65160 <mss 1460>
+.001 >4 .  1:1(0) ack 1 win 2920
+.001 >4 P. 1:201(200) ack 1 win 2920
+.014 <4 .  1:1461(1460) ack 201 win 65160
+.001 <4 P. 1461:2921(1460) ack 201 win 65160
+.001 >4 .  201:201(0) ack 2921 win 0
+.230 <4 .  2920:2920(0) ack 201 win 65160
+.001 >4 .  201:201(0) ack 2921 win 0
+1.50 >4 .  201:201(0) ack 2921 win 2920
+.013 <4 P. 2921:3821(900) ack 201 win 65160
+.001 >4 .  201:201(0) ack 3821 win 2920
+.001 >4 F. 201:201(0) ack 3821 win 2920
+.013 <4 F. 3821:3821(0) ack 202 win 65160
+.001 >4 .  202:202(0) ack 3822 win 2920
"""


def capture() -> bytes:
    """The file's bytes."""
    packets = []
    for _, frame in frames(LADDER):
        seconds, rest = divmod(frame.time, 10**9)
        packets.append((seconds, rest // 1000, frame.data, frame.length))
    return pcap(*packets, link=RAW)


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_bytes(capture())
    print(PATH)
