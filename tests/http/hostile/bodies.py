"""Bodies that are no GraphQL request, each with what its refusal must name."""

import json

DEEP = 50_000


def asking(**parts: object) -> bytes:
    return json.dumps({"query": "{ __typename }"} | parts).encode()


def holding(value: str) -> bytes:
    """Write a value, as it is, among the variables."""
    return b'{"query": "{ __typename }", "variables": {"value": %b}}' % value.encode()


BODIES: dict[str, tuple[bytes, str]] = {
    # no object
    "nothing": (b"", "not JSON"),
    "a space": (b" ", "not JSON"),
    "null": (b"null", "one JSON object"),
    "a truth": (b"true", "one JSON object"),
    "a number": (b"5", "one JSON object"),
    "a text": (b'"{ __typename }"', "one JSON object"),
    "an empty list": (b"[]", "one JSON object"),
    "several operations at once": (b"[" + asking() + b"," + asking() + b"]", "several operations"),
    # no JSON
    "half an object": (b'{"query": "{ __ty', "not JSON"),
    "two objects": (asking() + asking(), "not JSON"),
    "a form": (b"query=%7B__typename%7D", "not JSON"),
    "a document": (b"{ __typename }", "not JSON"),
    "single quotes": (b"{'query': '{ __typename }'}", "not JSON"),
    "a comma too many": (b'{"query": "{ __typename }",}', "not JSON"),
    "bytes that are no UTF-8": (b'{"query": "\xff\xfe"}', "UTF-8"),
    "UTF-8 cut short": (b'{"query": "\xe2\x82"}', "UTF-8"),
    "UTF-8 made too long": (b'{"query": "\xc0\xaf"}', "UTF-8"),
    "Latin-1": ('{"query": "{ é }"}'.encode("latin-1"), "UTF-8"),
    "UTF-16": ('{"query": "{ __typename }"}'.encode("utf-16"), "not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf" + asking(), "BOM"),
    "gzip that isn't called so": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "not JSON"),
    "half a pair of surrogates": (holding(r'"\ud800"'), "surrogate"),
    "the other half": (holding(r'"\udc00"'), "not JSON"),
    "a control character as it is": (holding('"a\x00b"'), "control character"),
    "deep lists": (b"[" * DEEP, "depth"),
    "deep lists that are closed": (b"[" * DEEP + b"]" * DEEP, "depth"),
    "deep objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, "depth"),
    "deep variables": (holding("[" * DEEP + "]" * DEEP), "depth"),
    # numbers
    "not a number": (holding("NaN"), "not JSON"),
    "infinity": (holding("Infinity"), "not JSON"),
    "infinity below": (holding("-Infinity"), "not JSON"),
    "a number too large to be one": (holding("1e400"), "infinity"),
    "a whole number too large to be one": (holding("1" + "0" * 400), "infinity"),
    "a number in hex": (holding("0x10"), "not JSON"),
    "a number that begins with nought": (holding("007"), "not JSON"),
    "one more than 64 bits hold": (holding(str(2**64)), "64 bits"),
    "one less than 64 bits hold": (holding(str(-(2**63) - 1)), "64 bits"),
    "a whole number of 300 digits": (holding("9" * 300), "64 bits"),
    # wrong parts
    "nothing in it": (b"{}", "no query"),
    "a query of null": (asking(query=None), "no query"),
    "an empty query": (asking(query=""), "no query"),
    "a query that is a number": (asking(query=5), "query must be a text"),
    "a query that is a list": (asking(query=["{ __typename }"]), "query must be a text"),
    "variables in a list": (asking(variables=[1]), "variables must be an object"),
    "variables in a text": (asking(variables="{}"), "variables must be an object"),
    "a name that is a number": (asking(operationName=1), "operationName must be a text"),
    "a name that is false": (asking(operationName=False), "operationName must be a text"),
    "extensions in a list": (asking(extensions=[]), "extensions must be an object"),
    # documents
    "a query of spaces": (asking(query="  "), "Syntax Error"),
    "a query with a NUL": (asking(query="{ __type\x00name }"), "Syntax Error"),
    "a query with half an escape": (asking(query=r'{ __type(name: "\ud800") { name } }'), "Syntax"),
    "a name that isn't there": (asking(operationName="Other"), 'operation named "Other"'),
    "a name with a NUL": (asking(operationName="a\x00b"), "operation named"),
    "a fragment alone": (asking(query="fragment F on Query { __typename }"), "operation"),
    "a subscription": (asking(query="subscription { pointsCredited { id } }"), "WebSocket"),
}
