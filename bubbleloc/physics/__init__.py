"""The simulator: from a scene of microbubbles to an RF line in volts (numpy, SI units)."""

from bubbleloc.console.settings.physics import C4F10, WATER, Gas, Medium, Physics
from bubbleloc.physics.bubble import BubbleResponse, bubble_response
from bubbleloc.physics.echo import add_echoes, receive
from bubbleloc.physics.probe import gaussian
from bubbleloc.physics.propagation import propagate
from bubbleloc.physics.pulse import (
    compress,
    drive_signal,
    matched_filter,
    unit_pulse,
    warnings_of,
)
from bubbleloc.physics.scene import Bubbles, Scene, draw_scene
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.shell import Shell, shell_named
from bubbleloc.physics.simulator import (
    RFLine,
    Signal,
    arrival_sample,
    max_pressure_field,
    simulate_rf,
    true_bubbles,
    typical_lag_samples,
)
from bubbleloc.physics.transducer import P4_1, PoleResidueResponse, TabulatedResponse, Transducer
from bubbleloc.units import Scale

__all__ = [
    "C4F10",
    "P4_1",
    "WATER",
    "BubbleResponse",
    "Bubbles",
    "Gas",
    "Medium",
    "Physics",
    "PoleResidueResponse",
    "RFLine",
    "Scale",
    "Scene",
    "Setup",
    "Shell",
    "Signal",
    "TabulatedResponse",
    "Transducer",
    "add_echoes",
    "arrival_sample",
    "bubble_response",
    "compress",
    "draw_scene",
    "drive_signal",
    "gaussian",
    "matched_filter",
    "max_pressure_field",
    "propagate",
    "receive",
    "shell_named",
    "simulate_rf",
    "true_bubbles",
    "typical_lag_samples",
    "unit_pulse",
    "warnings_of",
]
