"""The benchmark rig: Starling against others, on the same database in the same run.

Machines differ and are busy, so what counts are ratios: contestants take turns in short slices, every figure
is a median over rounds, and each ratio compares slices that ran within seconds of each other. Answers are
compared before anything is timed. `python -m tests.bench --help` names the parts."""
