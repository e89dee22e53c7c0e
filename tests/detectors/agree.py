"""Compares our detectors and models with river's and statsmodels' on the same series."""

import math
import random
import subprocess
import sys

import numpy
from river import drift
from statsmodels.tsa.holtwinters import ExponentialSmoothing


def ours(program, *arguments, values):
    text = "\n".join(map(repr, values))
    lines = subprocess.run([program, *map(str, arguments)], input=text, text=True, capture_output=True, check=True).stdout
    return [[float(number) for number in line.split()] for line in lines.splitlines()]


def page_hinkley(program, values, delta, limit):
    theirs, found = drift.PageHinkley(delta=delta, threshold=limit), []
    for place, value in enumerate(values):
        theirs.update(value)
        if theirs.drift_detected:
            found.append(place)
    mine = [place for place, (over,) in enumerate(ours(program, "page-hinkley", delta, limit, values=values)) if over]
    assert mine == found, f"Page-Hinkley: ours {mine}, river's {found}"
    return len(found)


def adwin(program, values, changes):
    """river tries all cuts but those behind the last bucket of each size, so both may differ by some looks (32 values each)."""
    theirs, found = drift.ADWIN(delta=0.002), []
    for place, value in enumerate(values):
        theirs.update(value)
        if theirs.drift_detected:
            found.append(place)
    mine = [place for place, (changed, _) in enumerate(ours(program, "adwin", 0.002, values=values)) if changed]
    for change in changes:
        first = lambda places: next((place for place in places if place >= change), math.inf)
        assert abs(first(mine) - first(found)) <= 64, f"ADWIN at {change}: ours {first(mine)}, river's {first(found)}"
    if not changes:
        assert not mine and not found, f"ADWIN without a change: ours {mine}, river's {found}"
    return len(mine), len(found)


def holt_winters(program, values, alpha, beta, gamma, season):
    """The same beginning is given to both, since statsmodels has several and ours is another."""
    first = numpy.array(values[: 2 * season])
    level, trend = first[:season].mean(), (first[season:].mean() - first[:season].mean()) / season
    model = ExponentialSmoothing(
        values, trend="add", seasonal="add", seasonal_periods=season, initialization_method="known",
        initial_level=level, initial_trend=trend, initial_seasonal=first[:season] - level,
    )
    # statsmodels' beta and gamma are those of the same equations.
    theirs = model.fit(smoothing_level=alpha, smoothing_trend=beta, smoothing_seasonal=gamma, optimized=False).fittedvalues
    mine = [forecast for (forecast,) in ours(program, "holt-winters", alpha, beta, gamma, season, values=values)]
    off = max(abs(a - b) for a, b in zip(mine[2 * season :], theirs[2 * season :], strict=True))
    scale = max(abs(value) for value in values)
    assert off <= 1e-9 * scale, f"Holt-Winters: forecasts differ by {off}"
    return off


def main(program):
    draw, changes_found = random.Random(1), 0
    for case in range(40):
        values = [draw.gauss(0, 1) + (3 if i > 600 else 0) + (case % 4) * (i > 1400) for i in range(2000)]
        changes_found += page_hinkley(program, values, 0.005 * (1 + case % 3), 20 + case)
    print(f"Page-Hinkley: 40 series, {changes_found} changes, the same places as river's")
    for case in range(20):
        values = [min(max(draw.gauss(0.3 if i < 1000 else 0.3 + 0.02 * (5 + case), 0.1), 0), 1) for i in range(2000)]
        adwin(program, values, [1000])
        adwin(program, values[:1000], [])
    print("ADWIN: 20 series with a change, 20 without: found where river's is, to two looks")
    worst = 0.0
    for case in range(10):
        values = [50 + 0.01 * i + 8 * math.sin(2 * math.pi * i / 24) + draw.gauss(0, 1) for i in range(600)]
        worst = max(worst, holt_winters(program, values, 0.1 + 0.08 * case, 0.02 * case, 0.05 * (10 - case), 24))
    print(f"Holt-Winters: 10 series, forecasts equal to statsmodels' (largest difference {worst:.1e})")


if __name__ == "__main__":
    main(*sys.argv[1:])
