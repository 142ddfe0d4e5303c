"""`lr<1e-3 and state=done`: a small language that chooses results. Nothing of it is executed.

choice     = alternative { "or" alternative }
alternative = term { "and" term }
term       = "not" term | "(" choice ")" | NAME OPERATOR VALUE
"""

import math
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from launch.results.columns import Columns, Named
from launch.results.rows import Result
from launch.status.state import State
from pcm.config.names import did_you_mean
from pcm.errors import UsageError

Test = Callable[[Result], bool]

_WORD = re.compile(
    r"""\s*(?:(?P<op><=|>=|!=|==|=|<|>|~)|(?P<paren>[()])|(?P<text>"[^"]*"|'[^']*'|[^\s()<>=!~]+))"""
)

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "~": lambda value, part: str(part).lower() in str(value).lower(),
}

_RESERVED = ("and", "or", "(", ")")

_ORDERS = ("<", "<=", ">", ">=")
_EQUALS = ("=", "==")

_NOTHING = "null"
"""Unquoted, it is what an axis or a metric that isn't there has."""

HINT = "write it like 'lr<1e-3 and state=done'; ~ is for a part of a text, quotes for odd names"


def parse_where(text: str, columns: Columns) -> Test:
    """The test that an expression stands for; a row without the value fails every comparison.

    Raises:
        UsageError: it is no such expression, or names what no row has.
    """
    parser = _Parser(_words(text), columns)
    test = parser.choice()
    parser.require_end()
    return test


class _Parser:
    def __init__(self, words: Sequence[str], columns: Columns) -> None:
        self._words = words
        self._columns = columns
        self._at = 0

    def choice(self) -> Test:
        tests = [self._alternative()]
        while self._accept("or"):
            tests.append(self._alternative())
        return lambda row: any(test(row) for test in tests)

    def require_end(self) -> None:
        if self._at < len(self._words):
            raise _fault(f"'{self._words[self._at]}' is not expected there")

    def _alternative(self) -> Test:
        tests = [self._term()]
        while self._accept("and"):
            tests.append(self._term())
        return lambda row: all(test(row) for test in tests)

    def _term(self) -> Test:
        if self._accept("not"):
            inside = self._term()
            return lambda row: not inside(row)
        if self._accept("("):
            test = self.choice()
            if not self._accept(")"):
                raise _fault("a ')' is missing")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        name = self._next("a name")
        if name in _OPERATORS or name.lower() in _RESERVED:
            raise _fault(f"a name is expected where '{name}' is")
        column = self._columns.find(_unquoted(name))
        sign = self._next("one of = != < <= > >= ~")
        if sign not in _OPERATORS:
            raise _fault(f"'{sign}' is no comparison")
        wanted = self._next("a value")
        if sign in _ORDERS:
            self._require_order(column, sign, wanted)
        elif sign != "~" and column.path == "state":
            _require_state(_unquoted(wanted))
        return _comparison(column.of, sign, wanted)

    def _require_order(self, column: Named, sign: str, wanted: str) -> None:
        """Refuse `val/loss<lr`: between a number and a text there is no order."""
        number = _number(_unquoted(wanted))
        kinds = {_is_number(_spelt(value)) for value in self._columns.values(column)}
        if kinds == {True} and number is None:
            raise _fault(f"{column.name} has numbers, and '{wanted}' is none")
        if kinds == {False} and number is not None:
            raise _fault(f"{column.name} has no numbers, so {sign} {wanted} means nothing")

    def _next(self, what: str) -> str:
        if self._at == len(self._words):
            raise _fault(f"{what} is missing at its end")
        self._at += 1
        return self._words[self._at - 1]

    def _accept(self, word: str) -> bool:
        is_there = self._at < len(self._words) and self._words[self._at].lower() == word
        self._at += is_there
        return is_there


def _require_state(word: str) -> None:
    """Refuse `state=Done`, which no row will ever be."""
    if word not in set(State):
        hint = did_you_mean(word, State) or f"there is {', '.join(State)}"
        raise UsageError(f"--where: no state '{word}'", hint)


def _words(text: str) -> list[str]:
    words, position = [], 0
    while text[position:].strip():
        match = _WORD.match(text, position)
        if match is None:
            raise _fault(f"'{text[position:].strip()}' makes no sense")
        words.append(match[0].strip())
        position = match.end()
    return words


def _comparison(of: Callable[[Result], Any], sign: str, wanted: str) -> Test:
    if wanted == _NOTHING and sign in (*_EQUALS, "!="):
        return lambda row: (of(row) is None) == (sign in _EQUALS)
    compare, text = _OPERATORS[sign], _unquoted(wanted)
    number = None if sign == "~" else _number(text)

    def test(row: Result) -> bool:
        value = _spelt(of(row)) if sign in _ORDERS and number is not None else of(row)
        if value is None:
            return False
        if _is_number(value) and number is not None:
            # NaN is no number that equals itself, but whoever looks for it writes `=nan`.
            if math.isnan(number) and sign not in _ORDERS:
                return (str(value) == "nan") == (sign in _EQUALS)
            return compare(value, number)
        if sign in _ORDERS and (_is_number(value) or number is not None):
            return False
        if isinstance(value, bool):
            return compare(str(value).lower(), text.lower())
        return compare(str(value), text)

    return test


def _spelt(value: Any) -> Any:
    """The number that a text spells, as words of another tool's sweep may be; else the value."""
    number = _number(value) if isinstance(value, str) else None
    return value if number is None else number


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


def _fault(problem: str) -> UsageError:
    return UsageError(f"--where: {problem}", HINT)
