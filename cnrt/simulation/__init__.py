"""How long a card would take: an event model over costs, with no values computed. Everything it gives is simulated time."""
from __future__ import annotations

from cnrt.simulation.clock import Clock, Company
from cnrt.simulation.layer_times import LayerTime, layer_times
from cnrt.simulation.pipeline import Feed, Simulated, simulate

__all__ = ["Clock", "Company", "Feed", "LayerTime", "Simulated", "layer_times", "simulate"]
