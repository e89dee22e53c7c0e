"""Plots as inline SVG: lines, areas and bands over time, in colours that the page's style sheet sets for light and dark."""

from html import escape

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 960, 56, 12, 22, 20

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --faint: #68748a; --line: #d8dee8; --paper: #ffffff; --card: #f5f7fa; --one: #1864ab; --two: #c2410c;
  --three: #2b8a3e; --four: #862e9c; --band: #f8d7a4; --good: #2b8a3e; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --faint: #95a1b5; --line: #333d4d; --paper: #12161d; --card: #1a202a; --one: #74b3f0;
  --two: #f59f62; --three: #69c47d; --four: #d29ae6; --band: #574320; --good: #69c47d; --bad: #f08c80; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 62rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0 0 .3rem; }
p { margin: .4rem 0; } .faint { color: var(--faint); } .good { color: var(--good); } .bad { color: var(--bad); } a { color: var(--one); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; } th { text-align: left; color: var(--faint); font-weight: 600; }
th, td { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } td.n, th.n { text-align: right; }
code, .code { font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; } pre { white-space: pre-wrap; }
.card { background: var(--card); border-radius: 8px; padding: .8rem 1rem; margin: .8rem 0; } tr:target, .card:target { outline: 2px solid var(--two); }
svg { width: 100%; height: auto; display: block; } svg text { font: 11px system-ui, sans-serif; fill: var(--faint); }
.axis { stroke: var(--line); fill: none; } .band { fill: var(--band); opacity: .55; } .mark { stroke: var(--ink); stroke-dasharray: 3 3; opacity: .55; }
.l { fill: none; stroke-width: 1.6; stroke-linejoin: round; } .a { stroke: none; opacity: .18; }
.s1 { stroke: var(--one); } .s2 { stroke: var(--two); } .s3 { stroke: var(--three); } .s4 { stroke: var(--four); } .s0 { stroke: var(--faint); }
.f1 { fill: var(--one); } .f2 { fill: var(--two); } .f3 { fill: var(--three); } .f4 { fill: var(--four); } .f0 { fill: var(--faint); }
svg text.t1 { fill: var(--one); } svg text.t2 { fill: var(--two); } svg text.t3 { fill: var(--three); } svg text.t4 { fill: var(--four); }
svg text.title { fill: var(--ink); font-weight: 600; }
"""


def page(title, body):
    """A page that needs nothing but itself."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def nice(most):
    """The least of 1, 2, 2.5 and 5 times a power of ten that is not below."""
    step = 1.0
    while step < most:
        step *= 10
    return next(step * part for part in (0.1, 0.2, 0.25, 0.5, 1) if step * part >= most)


class Plot:
    """Series over time, from `begin` to `end` seconds, from 0 to `most`."""

    def __init__(self, title, begin, end, most, height=150, unit=""):
        self.begin, self.end, self.most, self.height, self.unit = begin, end, nice(max(most, 1e-9)), height, unit
        self.parts, self.labels, self.title = [], [], title

    def x(self, at):
        return LEFT + (at - self.begin) / (self.end - self.begin) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return self.height - BOTTOM - min(value / self.most, 1.02) * (self.height - TOP - BOTTOM)

    def band(self, begin, end, text=""):
        begin, end = max(begin, self.begin), min(end, self.end)
        if begin < end:
            self.parts.insert(
                0,
                f'<rect class="band" x="{self.x(begin):.1f}" y="{TOP}" width="{self.x(end) - self.x(begin):.1f}" '
                f'height="{self.height - TOP - BOTTOM}"><title>{escape(text)}</title></rect>',
            )

    def mark(self, at, text, link=None, left=False):
        if self.begin <= at <= self.end:
            place = f'x="{self.x(at) - 3:.1f}" text-anchor="end"' if left else f'x="{self.x(at) + 3:.1f}"'
            label = f'<text {place} y="{TOP + 9}">{escape(text)}</text>'
            if link:
                label = f'<a href="{escape(link)}">{label}</a>'
            self.parts.append(
                f'<line class="mark" x1="{self.x(at):.1f}" x2="{self.x(at):.1f}" y1="{TOP}" y2="{self.height - BOTTOM}"/>{label}'
            )

    def line(self, points, series, name="", area=False, steps=False):
        """Points are (seconds, value or None); a gap where there is none."""
        runs, run = [], []
        for at, value in points:
            if value is None or not self.begin <= at <= self.end:
                if run:
                    runs.append(run)
                run = []
                continue
            if steps and run:
                run.append((self.x(at), run[-1][1]))
            run.append((self.x(at), self.y(value)))
        for run in [*runs, run]:
            if not run:
                continue
            path = "L".join(f"{x:.1f},{y:.1f}" for x, y in run)
            if area:
                floor = self.height - BOTTOM
                self.parts.append(f'<path class="a f{series}" d="M{run[0][0]:.1f},{floor}L{path}L{run[-1][0]:.1f},{floor}Z"/>')
            self.parts.append(f'<path class="l s{series}" d="M{path}"/>')
        if name:
            self.labels.append((series, name))

    def svg(self):
        out = [f'<svg viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{escape(self.title)}">', *self.parts]
        for part in (0, 0.5, 1):
            y = self.y(part * self.most)
            out.append(
                f'<path class="axis" d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}"/>'
                f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{part * self.most:g}{self.unit}</text>'
            )
        step = next(step for step in (1, 2, 5, 10, 20, 50, 1000) if (self.end - self.begin) / step <= 14)
        at = -(-self.begin // step) * step
        while at <= self.end:
            out.append(f'<text x="{self.x(at):.1f}" y="{self.height - 5}" text-anchor="middle">{at:g} s</text>')
            at += step
        out.append(f'<text class="title" x="{LEFT}" y="13">{escape(self.title)}</text>')
        at = WIDTH - RIGHT
        for series, name in reversed(self.labels):
            out.append(f'<text class="t{series}" x="{at}" y="13" text-anchor="end">{escape(name)}</text>')
            at -= 7 * len(name) + 14
        return "".join([*out, "</svg>"])
