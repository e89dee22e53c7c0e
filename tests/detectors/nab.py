"""Scores our detector and two published ones on the series of the Numenta Anomaly Benchmark that lie in ../shared/data/nab.

The scoring function is the benchmark's (Lavin and Ahmad 2015, "Evaluating real-time anomaly detection algorithms", section III): a
detection in a window counts by how early it is, one outside by how far behind the last window it is, a window without one costs; the
first 15 % of a series are for learning. For each profile one threshold serves all series, and it is the one that scores best, for every
detector alike; beside it stand the published thresholds. Nothing is tuned by series: each is five-minute data with a day as its season.
"""

import csv
import json
import math
import pathlib
import subprocess
import sys

SIGMOID_END = 3.0


def sigmoid(position):
    return -1.0 if position > SIGMOID_END else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


class Series:
    def __init__(self, root, path, windows):
        rows = list(csv.reader(path.open()))[1:]
        self.name = path.relative_to(root).as_posix()
        self.values = [float(row[1]) for row in rows]
        times = [row[0][:19] for row in rows]
        inside = lambda first, last: [i for i, time in enumerate(times) if first[:19] <= time <= last[:19]]
        spans = [inside(*window) for window in windows.get(self.name, [])]
        self.windows = [(span[0], span[-1]) for span in spans if span]

    def weights(self, costs):
        """What a detection at each place is worth, and in which window it is; None where the detector still learns."""
        length = len(self.values)
        learning = min(math.floor(0.15 * length), 0.15 * 5000)
        last, weighed = None, []
        for place in range(length):
            window = next((w for w, (first, end) in enumerate(self.windows) if first <= place <= end), None)
            if window is not None:
                first, end = self.windows[window]
                worth = sigmoid(-(end - place + 1) / (end - first + 1)) * costs["tpWeight"] / sigmoid(-1.0)
                if place == end:
                    last = (end, end - first + 1)
            else:
                behind = -1.0 if last is None else sigmoid(abs(last[0] - place) / (last[1] - 1.0))
                worth = behind * costs["fpWeight"]
            weighed.append((worth, window) if place >= learning else None)
        return weighed


def scores_by_threshold(series, scores, costs):
    """(threshold, normalised score) for each threshold that there can be, highest first."""
    points, windows = [], sum(len(one.windows) for one in series)
    for one in series:
        for weighed, score in zip(one.weights(costs), scores[one.name], strict=True):
            if weighed is not None:
                points.append((score, one.name, weighed[1], weighed[0]))
    points.sort(key=lambda point: -point[0])
    least, most = -costs["fnWeight"] * windows, costs["tpWeight"] * windows
    total, best, curve = least, {}, [(math.inf, 0.0)]
    for place, (score, name, window, worth) in enumerate(points):
        if window is None:
            total += worth
        else:
            before = best.get((name, window), -costs["fnWeight"])
            best[name, window] = max(before, worth)
            total += best[name, window] - before
        if place + 1 == len(points) or points[place + 1][0] != score:
            curve.append((score, 100.0 * (total - least) / (most - least)))
    return curve


def at_threshold(curve, threshold):
    return next((score for at, score in reversed(curve) if at >= threshold), 0.0)


def volume_under_surface(series, scores):
    """VUS-PR (Paparrizos et al. 2022) with the authors' package, the mean over the series that have windows, half a day about each."""
    import numpy
    from vus.metrics import get_metrics

    found = []
    for one in series:
        if one.windows:
            labels = numpy.zeros(len(one.values))
            for first, end in one.windows:
                labels[first : end + 1] = 1
            score = numpy.array(scores[one.name], dtype=float)
            found.append(get_metrics(score, labels, metric="vus", slidingWindow=144)["VUS_PR"])
    return sum(found) / len(found)


def main(root, program):
    root = pathlib.Path(root)
    windows = json.loads((root / "windows.json").read_text())
    profiles = {name: profile["CostMatrix"] for name, profile in json.loads((root / "results/profiles.json").read_text()).items()}
    thresholds = json.loads((root / "results/thresholds.json").read_text())
    paths = sorted(path for path in root.glob("*/*.csv") if path.parent.name != "results")
    series = [Series(root, path, windows) for path in paths]
    scores = {"windowedGaussian": {}, "randomCutForest": {}, "knhk": {}}
    lasting = {}
    for one in series:
        rows = list(csv.DictReader((root / "results" / one.name).open()))
        for detector in thresholds:
            scores[detector][one.name] = [float(row[detector]) for row in rows]
        text = "\n".join(map(repr, one.values))
        for detector, kept in (("unusual-once", scores["knhk"]), ("unusual", lasting)):
            lines = subprocess.run([program, detector, "288"], input=text, text=True, capture_output=True, check=True).stdout
            kept[one.name] = [float(line.split()[0]) for line in lines.splitlines()]
    print(f"{len(series)} series, {sum(len(one.windows) for one in series)} windows; one threshold for all of them, the best of each detector\n")
    print(f"{'profile':22}{'detector':20}{'score':>8}{'threshold':>12}   at the published threshold")
    best = {}
    for profile, costs in profiles.items():
        for detector in scores:
            curve = scores_by_threshold(series, scores[detector], costs)
            threshold, best[profile, detector] = max(curve, key=lambda point: point[1])
            published = thresholds.get(detector, {}).get(profile, {}).get("threshold")
            beside = "" if published is None else f"{at_threshold(curve, published):8.2f} ({published:.4f})"
            print(f"{profile:22}{detector:20}{best[profile, detector]:8.2f}{threshold:12.4f}   {beside}")
    # This one asks how unusual each value is, not when to sound an alarm.
    volumes = {detector: volume_under_surface(series, lasting if detector == "knhk" else scores[detector]) for detector in scores}
    print(f"\n{'VUS-PR':22}" + ", ".join(f"{detector} {volume:.3f}" for detector, volume in volumes.items()))
    lost = [profile for profile in profiles if any(best[profile, "knhk"] <= best[profile, other] for other in thresholds)]
    ranked = all(best[profile, "randomCutForest"] > best[profile, "windowedGaussian"] for profile in profiles)
    if not ranked:
        sys.exit("the two published detectors are not in their published order: the scorer is wrong")
    if lost:
        sys.exit("a published detector is better in: " + ", ".join(lost))


if __name__ == "__main__":
    main(*sys.argv[1:])
