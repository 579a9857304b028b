"""Sets of values that the chart is rendered with."""

from typing import Any

NEEDED: dict[str, Any] = {
    "kafka": {"bootstrapServers": "kafka-1.data:9092,kafka-2.data:9094"},
    "redis": {"url": "rediss://:secret@valkey.data:6380/0"},
}

_ANYWHERE = {
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "batch", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
}
_OPEN = {
    "autoscaling": {"enabled": True},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"nginx.ingress.kubernetes.io/auth-type": "basic"},
        "host": "desk.example.org",
        "tlsSecret": "desk-tls",
    },
    "podAnnotations": {"team": "support"},
    **_ANYWHERE,
}
EVERYTHING: dict[str, Any] = {
    "image": {"repository": "registry.example.org/desk", "tag": "1.2.3", "pullSecrets": ["login"]},
    "kafka": {
        **NEEDED["kafka"],
        "partitions": 24,
        "security": {
            "protocol": "SASL_SSL",
            "mechanism": "SCRAM-SHA-512",
            "existingSecret": "kafka-login",
            "caSecret": "kafka-authority",
            "certificateSecret": "kafka-certificate",
        },
    },
    "redis": {"existingSecret": "read-side", "caSecret": "redis-authority"},
    "pseudonymKey": {"existingSecret": "pseudonyms"},
    "models": {"storageClass": "nfs"},
    "queueDirectory": {"queues": {"IT/Network": 7}, "topics": {"vpn": "IT/Network"}},
    "ingest": {**_OPEN, "env": {"INGEST_MAX_EVENTS": 1000}},
    "classifier": {
        "autoscaling": {"enabled": True, "maxReplicas": 12},
        "env": {"CLASSIFIER_SHADOW": True, "INTAKE_SESSION_MS": "10000"},
        **_ANYWHERE,
    },
    "semantic": {"replicas": 2, "env": {"RADAR_TICKETS": 5, "SEMANTIC_SHARE": 0.2}, **_ANYWHERE},
    "forecaster": {"replicas": 2, "env": {"FORECASTER_TIMEZONE": "Europe/Berlin"}, **_ANYWHERE},
    "gateway": {**_OPEN, "env": {"GATEWAY_LOG_LEVEL": "DEBUG"}},
    "retrain": {"env": {"CLASSIFIER_LOG_LEVEL": "DEBUG"}, **_ANYWHERE},
    "networkPolicy": {
        "clients": [{"namespaceSelector": {"matchLabels": {"helpdesk": "yes"}}}],
        "kafkaPorts": [9092, 9093],
        "redisPorts": [6379],
    },
    "monitoring": {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "runbook": "https://wiki.example.org/operations",
    },
    "serviceAccountName": "deskstream",
}

SMALLEST: dict[str, Any] = {
    "kafka": {"bootstrapServers": "kafka:9092", "replication": 1, "provision": False},
    "redis": {"url": "redis://valkey"},
    "models": {"persistent": False},
    "ingest": {"replicas": 1},
    "classifier": {"replicas": 1},
    "semantic": {"replicas": 0},
    "gateway": {"replicas": 1},
    "retrain": {"enabled": False},
    "simulator": {"enabled": True},
    "networkPolicy": {"enabled": False},
}
