"""When timers fire: crontab expressions and intervals, pure. Time and time zone are arguments."""
