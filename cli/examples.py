"""What stands under the help of each command."""

from __future__ import annotations

from rich.markup import escape

EXAMPLES: dict[str, tuple[str, ...]] = {
    "compose": (
        'vampprompt compose loop.wav --mask "beat & codebook<3"',
        'vampprompt compose in.wav -m "~(2s..4s)" -o filled.wav --variations 4 --seed 7',
        'vampprompt compose in.wav -m downbeat --sampler "typical(mass=0.2, steps=24)"',
        "vampprompt compose --recipe filled-2.json",
        "vampprompt compose - -m beat -o -",
        "vampprompt compose in.wav -m beat -o out.wav --variations 3 --json",
    ),
    "batch": (
        'vampprompt batch loops/ -m "beat & codebook<3" -o out/',
        'vampprompt batch "loops/*.wav" -m "onset(width=5)" -o out/ --csv table.csv',
        "vampprompt batch loops/ --recipe good.json -o out/ --workers 4",
    ),
    "mask": (
        'vampprompt mask in.wav --mask "beat & codebook<3" --explain',
        'vampprompt mask in.wav -m verse --define "verse=4s..12s" --plot verse.png',
        "vampprompt mask in.wav --mask onset --json",
        "vampprompt mask in.wav --mask beat --span 2s..6s --image mask.png",
    ),
    "masks": (
        "vampprompt masks",
        'vampprompt masks --define "verse=4s..12s"',
    ),
    "models": (
        "vampprompt models",
        "vampprompt models hugggof/vampnet",
    ),
    "convert": (
        "vampprompt convert hugggof/vampnet vampnet/ --half",
        "vampprompt convert mine/ sad/ --finetune sad",
    ),
    "harp": (
        "vampprompt harp",
        "vampprompt harp --model starter --model hugggof/vampnet --tracks 2",
    ),
    "osc": (
        "vampprompt osc --root loops/",
        "vampprompt osc --root loops/ --reply-port 8003",
    ),
    "doctor": ("vampprompt doctor", "vampprompt doctor --json"),
}


def epilog(command: str) -> str:
    """Return the examples of a command as Typer shows them: a paragraph each."""
    return "\n\n".join(["[bold]Examples[/bold]", *map(escape, EXAMPLES[command])])
