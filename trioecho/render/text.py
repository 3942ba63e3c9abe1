from trioecho.text import bytes_of as bytes_of, plural as plural, preview as preview, seconds as seconds, printable as printable
