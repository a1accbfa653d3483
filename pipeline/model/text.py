"""What counts as blank in text: what `str.strip` takes off, written out for every SQL dialect."""

from __future__ import annotations

# The characters for which `str.isspace` is true: Unicode's white space (no-break and ideographic
# spaces too) and the four separators U+001C to U+001F. Characters of no width (U+200B, U+2060,
# U+FEFF) are not white space in Unicode, and not blank.
BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
