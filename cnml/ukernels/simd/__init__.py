"""The vocabulary of the register tiles: functions of an LLVM builder."""
