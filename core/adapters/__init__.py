"""The only place that imports openai, redis, redisvl; foreign errors are translated here."""
