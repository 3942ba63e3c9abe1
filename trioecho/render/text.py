from trioecho.text import (
    bytes_of as bytes_of,
)
from trioecho.text import (
    plural as plural,
)
from trioecho.text import (
    preview as preview,
)
from trioecho.text import (
    printable as printable,
)
from trioecho.text import (
    seconds as seconds,
)
