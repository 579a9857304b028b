{{/*
What every service is, in one table that all templates loop over. Nothing here is for an operator to
change: the ports are the defaults of the services' settings, tests compare them.

image     whose image; command, where it is not the image's own
port      HTTP: the API, /health, /ready, /metrics
ready     the readiness probe. The gateway's /ready answers for all others; taken as a probe it
          would take away what can still be read from Redis whenever one of them restarts.
live      seconds without an answer until the container is killed: beyond the 90 s of the workers'
          own watchdog, which writes down where they hang
start     seconds until the port must be open: a classifier folds the correction log first, over a
          minute for 100,000 corrections without a snapshot
stores    whom it talks to
models    reads the volume of models
queues    reads the queue directory
member    a member of a consumer group: a roll-out never adds one, which moves partitions twice
callers   who may call it; public: and whom networkPolicy.clients names
*/}}
{{- define "deskstream.services" -}}
ingest:
  {image: ingest, port: 8001, ready: /ready, live: 60, start: 120, stores: [kafka, redis],
   callers: [gateway, classifier, semantic, retrain, simulator], public: true}
classifier:
  {image: classifier, port: 8002, ready: /ready, live: 120, start: 900, stores: [kafka],
   models: true, member: true, callers: [gateway]}
semantic:
  {image: classifier, command: [python, -m, services.classifier, semantic], port: 8004,
   ready: /ready, live: 120, start: 900, stores: [kafka], models: true, member: true,
   callers: [gateway]}
forecaster:
  {image: forecaster, port: 8003, ready: /ready, live: 120, start: 300, stores: [kafka, redis],
   queues: true, member: true, callers: [gateway]}
gateway:
  {image: gateway, port: 8000, ready: /health, live: 60, start: 120, stores: [redis],
   queues: true, callers: [simulator, test], public: true}
{{- end -}}

{{/* (list $ "ingest"): the fewest pods of a service there will be; an autoscaler sets the number. */}}
{{- define "deskstream.fewest" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- $scaling := $values.autoscaling | default dict -}}
{{- ternary $scaling.minReplicas $values.replicas ($scaling.enabled | default false) -}}
{{- end -}}

{{/* What cannot work is said in a sentence, before anything is installed. */}}
{{- define "deskstream.check" -}}
{{- with .Values -}}
{{- if not .kafka.bootstrapServers -}}
{{- fail "kafka.bootstrapServers is needed: the addresses of your Kafka, host:port,host:port" -}}
{{- end -}}
{{- $security := .kafka.security -}}
{{- if hasPrefix "SASL" $security.protocol -}}
{{- if not (and $security.mechanism $security.existingSecret) -}}
{{- fail (printf "kafka.security.mechanism and .existingSecret are needed: protocol %s logs in" $security.protocol) -}}
{{- end -}}
{{- else if or $security.mechanism $security.existingSecret -}}
{{- fail (printf "kafka.security.protocol %s has no login: choose SASL_SSL, or leave mechanism and existingSecret empty" $security.protocol) -}}
{{- end -}}
{{- if and (not (hasSuffix "SSL" $security.protocol)) (or $security.caSecret $security.certificateSecret) -}}
{{- fail (printf "kafka.security.protocol %s has no TLS: choose SSL or SASL_SSL, or leave caSecret and certificateSecret empty" $security.protocol) -}}
{{- end -}}
{{- if not (or .redis.url .redis.existingSecret) -}}
{{- fail "redis.url or redis.existingSecret is needed: where your Redis or Valkey is" -}}
{{- end -}}
{{- if and .redis.caSecret .redis.url (not (hasPrefix "rediss:" .redis.url)) -}}
{{- fail "redis.url has no TLS: let it begin with rediss://, or leave redis.caSecret empty" -}}
{{- end -}}
{{- $most := ternary .classifier.autoscaling.maxReplicas .classifier.replicas .classifier.autoscaling.enabled -}}
{{- if gt (max $most .semantic.replicas .forecaster.replicas | int) (int .kafka.partitions) -}}
{{- fail (printf "classifier, semantic, forecaster: more workers than kafka.partitions (%v); what is over would have nothing to do" .kafka.partitions) -}}
{{- end -}}
{{- if and .retrain.enabled (not .models.persistent) -}}
{{- fail "retrain.enabled needs models.persistent: what it trains must be in the workers' volume" -}}
{{- end -}}
{{- range $name := list "ingest" "gateway" -}}
{{- $ingress := (index $.Values $name).ingress -}}
{{- if and $ingress.enabled (not $ingress.host) -}}
{{- fail (printf "%s.ingress.host is needed" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
