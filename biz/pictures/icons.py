"""The signs and the colours of a picture."""

ICONS = {
    "call": '<path d="M3 13L13 3M6 3h7v7"/>',
    "do": '<path d="M2 4h12M2 8h12M2 12h12"/>',
    "emit": '<path d="M8 14V3M3.5 7.5L8 3l4.5 4.5M3 14h10"/>',
    "end": '<circle cx="12" cy="12" r="11"/><circle class="core" cx="12" cy="12" r="6"/>',
    "for": '<path d="M13 8a5 5 0 1 1-1.8-3.8M13.5 2v3.5H10"/>',
    "fork": '<path d="M8 14V9M8 9L3 3M8 9l5-6"/>',
    "listen": '<path d="M3 6a7 7 0 0 1 10 0M5 9a4 4 0 0 1 6 0M8 12.5v.01"/>',
    "more": '<path d="M3 8h.01M8 8h.01M13 8h.01"/>',
    "raise": '<path d="M8 2.5L14.5 14H1.5ZM8 7v3M8 12v.01"/>',
    "run": '<path d="M3 4l4 4-4 4M8.5 12.5H13"/>',
    "set": '<path d="M3 6h10M3 10h10"/>',
    "start": '<circle cx="12" cy="12" r="11"/>',
    "switch": '<path d="M8 1.5L14.5 8 8 14.5 1.5 8Z"/>',
    "try": '<path d="M8 1.5l5.5 2v4c0 3.5-2.5 6-5.5 7-3-1-5.5-3.5-5.5-7v-4Z"/>',
    "wait": '<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 1.5"/>',
    "check": '<circle cx="10" cy="10" r="9"/><path d="M6 10.5l3 3 5.5-6.5"/>',
    "cross": '<circle cx="10" cy="10" r="9"/><path d="M6.5 6.5l7 7M13.5 6.5l-7 7"/>',
    "play": '<circle cx="10" cy="10" r="9"/><path class="solid" d="M7.5 6l6.5 4-6.5 4Z"/>',
    "stop": '<circle cx="10" cy="10" r="9"/><path d="M6 10h8"/>',
}
"""Drawn in squares of 16, marks in squares of 20, terminals in squares of 24."""

_SHAPES = (
    "font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:11px}"
    ".workflow .title{font-size:18px;font-weight:700}"
    ".workflow .about{font-size:12px}"
    ".workflow .name{font-size:13px;font-weight:600}"
    ".workflow .case{font-weight:600}"
    ".workflow .code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    ".workflow .state{font-weight:600}"
    ".workflow .kind,.workflow .line{fill:none;stroke-width:1.5}"
    ".workflow .kind{stroke-linecap:round;stroke-linejoin:round}"
    ".workflow .kind.more{stroke-width:3}"
    ".workflow .line.line.head{stroke:none}"
    ".workflow .line.dashed,.workflow .line.error{stroke-dasharray:4 4}"
    ".workflow .line.trunk{stroke-width:3}"
    ".workflow .line.rule{stroke-width:1}"
    ".workflow .frame.beside>.body,.workflow .catch{stroke-dasharray:5 4}"
    ".workflow .terminal{stroke-width:2}"
    ".workflow .mark path{fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}"
    ".workflow .mark path.solid{stroke:none}"
    ".workflow .unreached>.body{stroke-dasharray:3 3}"
    ".workflow .completed>.body,.workflow .faulted>.body,.workflow .cancelled>.body"
    "{stroke-width:1.5}"
    ".workflow .running>.body{stroke-width:2.5}"
)


def _colours(
    *,
    page: str,
    node: str,
    frame: tuple[str, str],
    border: str,
    text: str,
    soft: str,
    line: str,
    jump: str,
    catch: str,
    error: str,
    kinds: dict[str, str],
    tile: str,
    states: dict[str, tuple[str, str]],
) -> str:
    """Rules for one background."""
    rules = [
        f".workflow .page{{fill:{page}}}.workflow text{{fill:{text}}}",
        f".workflow .about,.workflow .what,.workflow .note{{fill:{soft}}}",
        f".workflow .code{{fill:{text}}}.workflow .condition{{fill:{jump}}}",
        f".workflow .node>.body{{fill:{node};stroke:{border}}}",
        f".workflow .frame>.body{{fill:{frame[0]};stroke:{border}}}",
        f".workflow .frame.odd>.body{{fill:{frame[1]}}}",
        f".workflow .line{{stroke:{line}}}.workflow .line.head{{fill:{line}}}",
        f".workflow .line.jump,.workflow .line.loop{{stroke:{jump}}}",
        f".workflow .line.jump.head,.workflow .line.loop.head{{fill:{jump}}}",
        f".workflow .line.error{{stroke:{error}}}.workflow .line.error.head{{fill:{error}}}",
        f".workflow .line.rule{{stroke:{border}}}",
        f".workflow .bar{{fill:{line}}}.workflow .bar.race{{fill:{border}}}",
        f".workflow .catch{{fill:{catch};stroke:{error}}}",
        f".workflow .pill{{fill:{page};stroke:{jump}}}",
        f".workflow .terminal{{fill:{page};stroke:{line}}}.workflow .terminal .core{{fill:{line}}}",
        f".workflow .mark path{{stroke:{page}}}.workflow .mark .solid{{fill:{page}}}",
    ]
    for kind, colour in kinds.items():
        rules.append(f".workflow .kind.{kind}{{stroke:{colour}}}")
        rules.append(f".workflow .{kind}>.tile{{fill:{colour};fill-opacity:{tile}}}")
    for state, (strong, weak) in states.items():
        rules.append(f".workflow .{state}>.body{{stroke:{strong}}}")
        rules.append(f".workflow .{state}.node>.body{{fill:{weak}}}")
        rules.append(f".workflow .{state}>.state,.workflow .{state}>.mark{{fill:{strong}}}")
    return "".join(rules)


def _kinds(call: str, data: str, flow: str, time: str, event: str, fault: str) -> dict[str, str]:
    return {
        "call": call, "run": call, "set": data, "do": data, "more": data, "switch": flow,
        "for": flow, "fork": flow, "wait": time, "emit": event, "listen": event, "raise": fault,
        "try": fault,
    }  # fmt: skip


_LIGHT = _colours(
    page="#ffffff",
    node="#ffffff",
    frame=("#f6f8fa", "#eceff3"),
    border="#c8d0d9",
    text="#1f2328",
    soft="#59636e",
    line="#7d8590",
    jump="#8a5a00",
    catch="#cf222e0a",
    error="#cf222e",
    kinds=_kinds("#0969da", "#57606a", "#9a6700", "#8250df", "#bf3989", "#cf222e"),
    tile="0.12",
    states={
        "completed": ("#1a7f37", "#eefbf1"),
        "faulted": ("#cf222e", "#fff1f0"),
        "running": ("#0969da", "#eef6ff"),
        "cancelled": ("#6e7781", "#f3f4f6"),
        "kept": ("#5b8268", "#f6faf7"),
    },
)
_DARK = _colours(
    page="#0d1117",
    node="#161b22",
    frame=("#12171e", "#1a2028"),
    border="#3d444d",
    text="#e6edf3",
    soft="#9198a1",
    line="#8b949e",
    jump="#d29922",
    catch="#f8514914",
    error="#f85149",
    kinds=_kinds("#58a6ff", "#9198a1", "#d29922", "#a371f7", "#db61a2", "#f85149"),
    tile="0.2",
    states={
        "completed": ("#3fb950", "#12261a"),
        "faulted": ("#f85149", "#2b1618"),
        "running": ("#58a6ff", "#11233a"),
        "cancelled": ("#9198a1", "#1c2128"),
        "kept": ("#7da58a", "#161e1a"),
    },
)
STYLE = f".workflow text{{{_SHAPES}{_LIGHT}@media (prefers-color-scheme:dark){{{_DARK}}}"
