"""Offline programs: graphs as plain data, written on one machine and fitted to another when they are loaded."""
from __future__ import annotations

from cnml.offline.lowering import lower
from cnml.offline.program_reader import read_program
from cnml.offline.program_writer import LANGUAGE, write_program
from cnrt import program_table

__all__ = ["LANGUAGE", "lower", "read_program", "write_program"]

program_table.register(LANGUAGE, lower)
