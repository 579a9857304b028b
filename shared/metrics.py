"""Every metric once. A service imports the object, so an unknown name is a type error."""

from prometheus_client import Counter, Gauge, Histogram

# From 1 ms to a minute; dense around the promised 50 and 100 ms.
LATENCY_BUCKETS = (
    0.001, 0.002, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075,
    0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
)  # fmt: skip
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

# -- HTTP, every service ------------------------------------------------------------------------
HTTP_SECONDS = Histogram(
    "deskstream_http_request_seconds",
    "Time to answer a request, by route template.",
    ["service", "method", "route", "status"],
    buckets=LATENCY_BUCKETS,
)

# -- ingest -------------------------------------------------------------------------------------
ACCEPTED = Counter("deskstream_ingest_accepted_total", "Events answered with 202.", ["kind"])
REJECTED = Counter("deskstream_ingest_rejected_total", "Requests refused, by reason.", ["reason"])
ACK_SECONDS = Histogram(
    "deskstream_ingest_ack_seconds",
    "Time until the broker acknowledged a request's events.",
    buckets=LATENCY_BUCKETS,
)

# -- the batch loop, classifier and forecaster ---------------------------------------------------
CHUNK_RECORDS = Histogram(
    "deskstream_intake_chunk_records", "Records per chunk.", ["topic"], buckets=BATCH_BUCKETS
)
LAG_RECORDS = Gauge(
    "deskstream_intake_lag_records",
    "Records behind the end of a partition.",
    ["topic", "partition"],
)
ASSIGNED = Gauge(
    "deskstream_intake_assigned_partitions", "Partitions this process owns.", ["topic"]
)
COMMIT_FAILURES = Counter(
    "deskstream_intake_commit_failures_total", "Offset commits the broker refused.", ["topic"]
)
REWINDS = Counter(
    "deskstream_intake_rewinds_total",
    "Partitions sought back to the sink's position after a mismatch.",
    ["topic"],
)
POLL_TIMESTAMP = Gauge(
    "deskstream_intake_poll_timestamp_seconds", "Unix time of the last poll.", ["topic"]
)

# -- classifier ----------------------------------------------------------------------------------
LABELLED = Counter("deskstream_classifier_labelled_total", "Tickets labelled and delivered.")
PARKED = Counter("deskstream_parked_total", "Records parked with a reason.", ["service", "reason"])
LABEL_SECONDS = Histogram(
    "deskstream_classifier_label_seconds",
    "Time the model took for one chunk.",
    buckets=LATENCY_BUCKETS,
)
MODEL_INFO = Gauge(
    "deskstream_classifier_model_info", "The model that serves.", ["name", "version", "digest"]
)

FOLDED = Counter(
    "deskstream_classifier_folded_total",
    "Records of the correction log by what came of them: learned, textless, repeated, control, "
    "outdated, unreadable.",
    ["outcome"],
)
REFITS = Counter(
    "deskstream_classifier_refits_total",
    "Refits from the correction log: kept, refused by the guard, failed.",
    ["outcome"],
)
FOLD_OFFSET = Gauge(
    "deskstream_classifier_fold_offset", "Next offset of the correction log, at the last digest."
)
FOLD_DIGEST = Gauge(
    "deskstream_classifier_fold_digest",
    "First 52 bits of the digest of probe answers; equal in all workers at an equal offset.",
)
SNAPSHOTS = Counter(
    "deskstream_classifier_snapshots_total",
    "Saves of the learned model and of the radar, by outcome.",
    ["outcome"],
)
RADAR_TICKETS = Counter(
    "deskstream_classifier_radar_tickets_total",
    "Tickets that the radar observed: novel, usual.",
    ["kind"],
)
EMERGING = Gauge(
    "deskstream_classifier_emerging_topics", "Proposals of the radar, when last asked for."
)
PROMOTIONS = Counter(
    "deskstream_classifier_promotions_total",
    "Promoted models asked of the store: taken, reference (does not learn), unavailable.",
    ["outcome"],
)
RETRAIN_ROUNDS = Counter(
    "deskstream_retrain_rounds_total",
    "Rounds of `retrain --every|--at`: promoted, refused, passed (a dry run), failed.",
    ["family", "outcome"],
)
PROMOTION_UNMET = Gauge(
    "deskstream_classifier_promotion_unmet", "1 while a promoted model could not be had, else 0."
)

JUDGED = Gauge(
    "deskstream_classifier_judged_tickets",
    "Tickets in the correction log that the model had answered before it learned them.",
)
PREQUENTIAL = Gauge(
    "deskstream_classifier_prequential",
    "Over the latest 2,000 judged tickets: accuracy, macro_f1, majority_accuracy; NaN before.",
    ["figure"],
)
DRIFT_TIMESTAMP = Gauge(
    "deskstream_classifier_drift_timestamp_seconds",
    "Unix time in the log at which errors last became more frequent for good; 0 for never.",
)
BUDGET_COVERAGE = Gauge(
    "deskstream_classifier_budget_coverage",
    "Share of the measured labels that the error budget applies without a human.",
)

# -- semantic worker -----------------------------------------------------------------------------
SEMANTIC_LOOKED = Counter(
    "deskstream_semantic_looked_total",
    "Tickets encoded: candidates for a better label, or only compared with recent ones.",
    ["kind"],
)
SEMANTIC_UPDATED = Counter(
    "deskstream_semantic_updates_total",
    "Updates by what is new: relabelled, confirmed (now sure enough), linked to an earlier ticket.",
    ["kind"],
)
SEMANTIC_SKIPPED = Counter(
    "deskstream_semantic_skipped_total",
    "Tickets without a second look: busy (budget spent), behind, failed; unreadable, observer.",
    ["reason"],
)
SEMANTIC_CPU_SECONDS = Counter(
    "deskstream_semantic_cpu_seconds_total", "CPU seconds spent on second looks."
)

# -- forecaster ----------------------------------------------------------------------------------
COUNTED = Counter("deskstream_forecaster_counted_total", "Tickets counted in Redis.")
DUPLICATES = Counter(
    "deskstream_forecaster_duplicates_total", "Records that changed nothing, by cause.", ["cause"]
)
GAPS = Counter(
    "deskstream_forecaster_gaps_total", "Jumps of src_offset: lost records. Must stay 0."
)
MISMATCHES = Counter(
    "deskstream_forecaster_position_mismatches_total",
    "Batches refused because Redis stood elsewhere.",
)
REDIS_RETRIES = Counter(
    "deskstream_forecaster_redis_retries_total",
    "Calls repeated because Redis was away, loading or full.",
    ["error"],
)
FORECASTS = Counter("deskstream_forecaster_published_total", "Forecasts of queues published.")
ALERTS = Counter("deskstream_forecaster_alerts_total", "Surges told, by state.", ["state"])
OPEN_ALERTS = Gauge("deskstream_forecaster_open_alerts", "Surges that go on, at the watcher.")
PROJECTION_SECONDS = Histogram(
    "deskstream_forecaster_projection_seconds",
    "Time to apply one batch to Redis.",
    buckets=LATENCY_BUCKETS,
)
END_TO_END_SECONDS = Histogram(
    "deskstream_end_to_end_seconds",
    "From the receipt of a ticket to its label being readable.",
    buckets=LATENCY_BUCKETS,
)
