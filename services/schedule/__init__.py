"""Work that is done again and again: trimming, sweeping, counting. Each job at its interval, by one process
of all that share the database.

    class Notes(App):
        def jobs(self) -> Sequence[Job]:
            return [Job(name="notes.trim", interval_seconds=3600, work=trim_old_notes)]

`scheduled_jobs` has a row for each job: when it is due, and who has claimed it until when. A process claims
by one UPDATE (SKIP LOCKED), works without a transaction of the schedule's own, and says how it went. A lease
lasts for the job's limit and half a minute: a process that dies loses it with the time, and the job is done
by another one. So a job may be done twice, never by two at the same time for longer than that half minute.
Weighed against an advisory lock: that one needs a session of its own for as long as the work takes, which a
pooler does not give, or a transaction, which keeps old rows alive.

A process does one job at a time, so that the schedule never takes more than one connection beside the
requests. What a job raises is logged and counted; it is done again at its next time. `starling doctor` tells
of jobs that are overdue or fail, /metrics counts them.
"""
