#!/usr/bin/env bash
# A global HTTPS load balancer with gcloud, against the emulator: made, looked at, changed, used, and taken down.
#
#   gclb emulator &
#   providers/emulator/docs/gcloud.sh [http://127.0.0.1:8787]
#
# Needs gcloud, openssl, curl and python3. A test runs this very script. It ends with "done" if everything was as said.
set -euo pipefail

emulator=${1:-http://127.0.0.1:8787}
port_offset=${PORT_OFFSET:-0}       # what the emulator was given as --port-offset
zone=us-central1-a

folder=$(mktemp -d)
server=
clean() {
    [ -z "$server" ] || kill "$server"
    rm -rf "$folder"
}
trap clean EXIT
cd "$folder"

export CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE=$emulator/compute/v1/
export CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true CLOUDSDK_CORE_PROJECT=${PROJECT:-demo} CLOUDSDK_CORE_DISABLE_PROMPTS=1
export CLOUDSDK_CONFIG=$folder/config CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=true
export CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=true

gc() {
    echo "\$ gcloud compute $*" >&2
    gcloud --quiet compute "$@"
}
# is WANTED COMMAND…: what a command prints is what is wanted.
is() {
    local wanted=$1 found
    shift
    found=$(gc "$@")
    [ "$found" = "$wanted" ] || { printf 'wanted: %s\nfound:  %s\n' "$wanted" "$found" >&2; exit 1; }
}
# refused TEXT COMMAND…: a command fails and says so.
refused() {
    local text=$1
    shift
    if gc "$@" 2>refused; then echo "this should have been refused" >&2; exit 1; fi
    grep -q "$text" refused || { cat refused >&2; exit 1; }
}

# --- A server, on an instance that the emulator is told of. 10.128.0.10 is dialled at 127.128.0.10.
python3 -m http.server 8080 --bind 127.128.0.10 >server.log 2>&1 &
server=$!
curl -fsS -X POST "$emulator/_emulator/instances" \
    -d "{\"project\": \"$CLOUDSDK_CORE_PROJECT\", \"zone\": \"$zone\", \"name\": \"web-1\", \"address\": \"10.128.0.10\"}" >/dev/null
is web-1 instances list --filter=name=web-1 --format='value(name)'

# --- Several at once go through a batch.
gc addresses create web spare-1 spare-2 --global
is $'spare-1\nspare-2' addresses list --global --filter='name:spare-*' --sort-by=name --format='value(name)'
gc addresses delete spare-1 spare-2 --global

# --- The load balancer, from the back to the front.
gc firewall-rules create web --allow tcp:8080 --source-ranges 130.211.0.0/22,35.191.0.0/16
gc firewall-rules update web --description 'probes and requests'
is 'probes and requests' firewall-rules describe web --format='value(description)'

gc health-checks create http web --port 8080 --check-interval 1 --timeout 1
gc health-checks update http web --request-path /
is /,1 health-checks describe web --format='csv[no-heading](httpHealthCheck.requestPath,checkIntervalSec)'
is web health-checks list --global --format='value(name)'

gc instance-groups unmanaged create web --zone $zone
gc instance-groups unmanaged add-instances web --zone $zone --instances web-1
gc instance-groups set-named-ports web --zone $zone --named-ports http:8080
is web-1 instance-groups list-instances web --zone $zone --format='value(instance.basename())'

gc network-endpoint-groups create pods --zone $zone --network-endpoint-type gce-vm-ip-port --network default
gc network-endpoint-groups update pods --zone $zone --add-endpoint instance=web-1,ip=10.128.0.10,port=8080
is 10.128.0.10 network-endpoint-groups list-network-endpoints pods --zone $zone --format='value(networkEndpoint.ipAddress)'
is 1 network-endpoint-groups describe pods --zone $zone --format='value(size)'

gc security-policies create guard --description 'who may come'
gc security-policies rules create 1000 --security-policy guard --action deny-403 --src-ip-ranges 203.0.113.0/24
gc security-policies rules update 1000 --security-policy guard --description 'not from there'
is 'not from there' security-policies rules describe 1000 --security-policy guard --format='value(description)'
is guard security-policies list --format='value(name)'

for service in web api; do
    gc backend-services create $service --global --load-balancing-scheme EXTERNAL_MANAGED --protocol HTTP \
        --port-name http --health-checks web
done
gc backend-services add-backend web --global --instance-group web --instance-group-zone $zone
gc backend-services add-backend api --global --network-endpoint-group pods --network-endpoint-group-zone $zone \
    --balancing-mode RATE --max-rate-per-endpoint 10
gc backend-services update web --global --timeout 45 --security-policy guard
is 45,guard backend-services describe web --global --format='csv[no-heading](timeoutSec,securityPolicy.basename())'
is $'api\nweb' backend-services list --global --filter='loadBalancingScheme=EXTERNAL_MANAGED' --sort-by=name --format='value(name)'

gc backend-buckets create files --gcs-bucket-name some-bucket
gc backend-buckets update files --description 'old files'
is 'old files' backend-buckets describe files --format='value(description)'
is files backend-buckets list --format='value(name)'

gc url-maps create web --default-service web
cat >map.yaml <<'MAP'
name: web
defaultService: global/backendServices/web
hostRules: [{hosts: [api.example.com], pathMatcher: api}]
pathMatchers: [{name: api, defaultService: global/backendServices/api}]
tests: [{host: api.example.com, path: /, service: global/backendServices/api}]
MAP
gc url-maps validate --source map.yaml --global --load-balancing-scheme EXTERNAL_MANAGED
gc url-maps add-path-matcher web --path-matcher-name api --default-service api --new-hosts api.example.com \
    --path-rules '/web/*=web'
is api.example.com url-maps describe web --format='value(hostRules[0].hosts[0])'
is web url-maps list --global --format='value(name)'

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=www.example.com -keyout tls.key -out tls.crt 2>/dev/null
gc ssl-certificates create web --global --certificate tls.crt --private-key tls.key
is SELF_MANAGED ssl-certificates describe web --global --format='value(type)'
is web ssl-certificates list --global --format='value(name)'

gc ssl-policies create strict --profile MODERN --min-tls-version 1.2
gc ssl-policies update strict --profile RESTRICTED
is RESTRICTED ssl-policies describe strict --format='value(profile)'
is strict ssl-policies list --format='value(name)'

gc target-https-proxies create web --url-map web --ssl-certificates web
gc target-https-proxies update web --ssl-policy strict
is strict target-https-proxies describe web --format='value(sslPolicy.basename())'
is web target-https-proxies list --global --format='value(name)'
gc target-http-proxies create web --url-map web
gc target-http-proxies update web --url-map web
is web target-http-proxies list --global --format='value(name)'

gc forwarding-rules create web-https --global --load-balancing-scheme EXTERNAL_MANAGED --address web \
    --target-https-proxy web --ports 443
# The same with the beta commands.
echo '$ gcloud beta compute forwarding-rules create web-http …' >&2
gcloud --quiet beta compute forwarding-rules create web-http --global --load-balancing-scheme EXTERNAL_MANAGED \
    --address web --target-http-proxy web --ports 80
gc forwarding-rules update web-http --global --update-labels stage=test
is test forwarding-rules describe web-http --global --format='value(labels.stage)'
is $'web-http\nweb-https' forwarding-rules list --global --sort-by=name --format='value(name)'

address=$(gc addresses describe web --global --format='value(address)')
is "$address" forwarding-rules describe web-https --global --format='value(IPAddress)'

# --- What is in use is not deleted.
refused 'is already being used by' backend-services delete web --global
refused 'was not found' url-maps describe nothing --global

# --- Served, once both services are healthy.
for service in web api; do
    for _ in $(seq 60); do
        health=$(gc backend-services get-health $service --global --format='value(status.healthStatus[0].healthState)')
        [ "$health" != HEALTHY ] || break
    done
    [ "$health" = HEALTHY ]
done
curl -fsS --retry 10 --retry-all-errors --retry-delay 1 -o page "http://$address:$((80 + port_offset))/"
grep -q 'Directory listing' page
curl -fsSk -o page --resolve "api.example.com:$((443 + port_offset)):$address" "https://api.example.com:$((443 + port_offset))/"
grep -q 'Directory listing' page

# --- Taken down, from the front to the back.
gc forwarding-rules delete web-https web-http --global
gc target-https-proxies delete web
gc target-http-proxies delete web
gc ssl-certificates delete web --global
gc ssl-policies delete strict
gc url-maps delete web --global
gc backend-services remove-backend api --global --network-endpoint-group pods --network-endpoint-group-zone $zone
gc backend-services delete web api --global
gc backend-buckets delete files
gc security-policies delete guard
gc health-checks delete web
gc network-endpoint-groups delete pods --zone $zone
gc instance-groups unmanaged delete web --zone $zone
gc firewall-rules delete web
gc addresses delete web --global
is '' url-maps list --format='value(name)'
echo done
