"""What marks a payload as encrypted; apart from the rest, for those who only look whether one is."""

ENCODING = b"binary/encrypted"
