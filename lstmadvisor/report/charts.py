"""Lines over an axis, as numbers that a template draws: paths, ticks, and the table behind them.

The drawing lives in a square of `SIZE` by `SIZE` units that the template stretches to its frame; y points down.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

SIZE = 1000
_MOST = 400
"""Points of a line that are drawn and listed."""
_APART = 70
"""Units of height that a label needs."""

LARGEST = 1e300
"""Beyond it a value counts as not finite."""
_LEAST = 1e-290

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Line:
    """A named row of points, in a colour and dash by `style`; a value of None was not finite and interrupts it."""

    name: str
    points: tuple[Point, ...]
    style: int = 1
    shape: str = "line"
    """line; faint: thin and pale; dots: with a dot at each point; stairs: the outline of a histogram"""


@dataclass(frozen=True)
class Level:
    """A value to compare with, across the whole chart."""

    value: float
    label: str
    style: str = "quantile"
    """quantile, baseline, limit, proposal"""


@dataclass(frozen=True)
class Band:
    """A stretch of the x axis that is told apart."""

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class Tick:
    """Where an axis is marked, in units, and with what."""

    at: float
    label: str


@dataclass(frozen=True)
class Placed:
    """A level with the height of its line and, lest labels overlap, of its label."""

    level: Level
    y: float
    label_y: float


@dataclass(frozen=True)
class Frame:
    """The size of a picture in pixels, and in it the box that the lines are drawn in."""

    width: int
    height: int
    left: int
    top: int
    w: int
    h: int


@dataclass(frozen=True)
class Chart:
    """What is to be drawn; all that is derived from it stands in the properties."""

    id: str
    title: str
    sentence: str
    """what it shows, for those who see it and for those who do not"""
    x: str
    y: str
    lines: tuple[Line, ...]
    levels: tuple[Level, ...] = ()
    bands: tuple[Band, ...] = ()
    log: bool = False
    span: tuple[float, float] | None = None
    """of the x axis, if not that of the points"""
    small: bool = False
    """one of several in a row"""

    @property
    def frame(self) -> Frame:
        """Room for the labels of the axes, and beside the box for those of the levels."""
        if self.small:
            return Frame(250, 140, 44, 8, 198, 108)
        return Frame(900, 280, 64, 10, 666 if self.levels else 820, 228)

    @cached_property
    def across(self) -> tuple[float, float]:
        """The smallest and the largest x."""
        if self.span:
            return self.span
        found = [x for line in self.lines for x, _ in line.points]
        low, high = min(found, default=0.0), max(found, default=1.0)
        return (low, high) if high > low else (low, low + 1)

    @cached_property
    def up(self) -> tuple[float, float]:
        """The values at the bottom and at the top, of a logarithmic axis as exponents."""
        values = [y for line in self.lines for _, y in line.points if y is not None and (y > 0 or not self.log)]
        values += [level.value for level in self._levels]
        if self.log:
            low, high = math.log10(min(values, default=0.1)), math.log10(max(values, default=1.0))
            room = max((high - low) * 0.05, 0.05)
            return low - room, high + room
        low, high = min(values, default=0.0), max(values, default=1.0)
        low = 0.0 if 0 <= low < 0.5 * high else low
        room = 0.05 * max(high - low, abs(high) if high - low < _LEAST else 0)
        room = room if room > _LEAST else 1.0
        return (low if low == 0 else low - room), high + room

    @property
    def x_ticks(self) -> list[Tick]:
        """Round numbers along the x axis."""
        return [Tick(self._across(value), short(value)) for value in rounds(*self.across, 8)]

    @property
    def y_ticks(self) -> list[Tick]:
        """Round numbers along the y axis, powers of ten on a logarithmic one."""
        values = decades(*self.up) if self.log else rounds(*self.up, 5)
        return [Tick(self._up(value), short(value)) for value in values]

    @property
    def placed(self) -> list[Placed]:
        """The levels from top to bottom, their labels moved apart."""
        levels = sorted(self._levels, key=lambda level: -level.value)
        placed: list[Placed] = []
        for level in levels:
            y = self._up(level.value)
            placed.append(Placed(level, y, max(y, placed[-1].label_y + _APART) if placed else y))
        over = max((placed[-1].label_y if placed else 0) - SIZE, 0)
        return [Placed(one.level, one.y, one.label_y - over) for one in placed]

    @property
    def stretches(self) -> list[tuple[float, float]]:
        """Start and width of the bands."""
        return [(self._across(band.start), self._across(band.end) - self._across(band.start)) for band in self.bands]

    def path(self, line: Line) -> str:
        """A line as the path of an SVG."""
        points = _stairs(line.points) if line.shape == "stairs" else line.points
        return "".join(self._moves(points))

    def dots(self, line: Line) -> list[tuple[float, float]]:
        """Where the dots of a line lie."""
        return (
            [(self._across(x), self._up(y)) for x, y in line.points if self._shown(y)] if line.shape == "dots" else []
        )

    def gaps(self, line: Line) -> list[float]:
        """Where along the x axis a line has no finite value."""
        return [self._across(x) for x, y in line.points if y is None]

    @property
    def table(self) -> list[tuple[str, list[str]]]:
        """Every x with the values of all lines; faint lines are listed too, smoothed ones say so by their name."""
        columns = [{x: "not finite" if y is None else short(y) for x, y in line.points} for line in self.lines]
        rows = sorted({x for column in columns for x in column})
        return [(short(x), [column.get(x, "") for column in columns]) for x in rows]

    @property
    def _levels(self) -> list[Level]:
        return [level for level in self.levels if abs(level.value) < LARGEST and (level.value > 0 or not self.log)]

    def _moves(self, points: Iterable[Point]) -> Iterator[str]:
        pen = "M"
        for x, y in points:
            if self._shown(y):
                yield f"{pen}{_unit(self._across(x))} {_unit(self._up(y))}"
                pen = "L"
            else:
                pen = "M"

    def _shown(self, y: float | None) -> bool:
        return y is not None and (y > 0 or not self.log)

    def _across(self, x: float) -> float:
        low, high = self.across
        return round((x - low) / (high - low) * SIZE, 1)

    def _up(self, y: float | None) -> float:
        low, high = self.up
        value = math.log10(y or 1) if self.log else (y or 0)
        return round(SIZE - (value - low) / (high - low) * SIZE, 1)


def thinned(points: Sequence[Point], most: int = _MOST) -> tuple[Point, ...]:
    """At most about that many of the points: of each stretch the lowest and the highest, and what is not finite."""
    if len(points) <= most:
        return tuple(points)
    size = math.ceil(2 * len(points) / most)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        finite = [point for point in stretch if point[1] is not None]
        chosen = {min(finite, key=_height), max(finite, key=_height)} if finite else set()
        chosen |= set([point for point in stretch if point[1] is None][:1])
        kept += sorted(chosen, key=lambda point: point[0])
    return tuple(kept)


def smoothed(points: Sequence[Point], width: int) -> tuple[Point, ...]:
    """The mean of each `width` neighbouring points, at the middle one; of fewer at the ends."""
    half = width // 2
    values = [y for _, y in points]
    result: list[Point] = []
    for number, (x, _) in enumerate(points):
        near = [y for y in values[max(number - half, 0) : number + half + 1] if y is not None]
        result.append((x, sum(near) / len(near) if near else None))
    return tuple(result)


def rounds(low: float, high: float, most: int) -> list[float]:
    """At most so many round numbers between two numbers: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.10g}") for number in range(first, last + 1)]


def decades(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis between two exponents: powers of ten; 2 and 5 times these where they are few."""
    first, last = math.floor(low), min(math.ceil(high), sys.float_info.max_10_exp)
    factors = (1, 2, 5) if high - low < 2.5 else (1,)
    every = max(math.ceil((high - low) / 8), 1)
    exponents = [exponent for exponent in range(first, last + 1) if exponent % every == 0]
    found = [factor * 10.0**exponent for exponent in exponents for factor in factors]
    return [value for value in found if value > 0 and low - 1e-9 <= math.log10(value) <= high + 1e-9]


def short(value: float, digits: int = 4) -> str:
    """A number in at most so many digits."""
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def _height(point: Point) -> float:
    return point[1] or 0.0


def _stairs(points: Sequence[Point]) -> Iterator[Point]:
    half = min((b[0] - a[0] for a, b in pairwise(points)), default=1.0) / 2
    yield (points[0][0] - half, 0.0)
    for x, y in points:
        yield (x - half, y)
        yield (x + half, y)
    yield (points[-1][0] + half, 0.0)


def _unit(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
