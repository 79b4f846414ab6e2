"""A global HTTPS load balancer on the emulator, with Google's own client library.

    python load_balancer.py http://127.0.0.1:8787

The argument is where the emulator listens. Nothing here is particular to the emulator but what is marked EMULATOR:
without those lines, and with credentials, the same program works on Google Cloud.
"""

import datetime
import http.server
import ipaddress
import json
import os
import sys
import tempfile
import threading
import time
import urllib.request

import google.auth
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import compute_v1

ENDPOINT = sys.argv[1].rstrip("/")
PROJECT = "demo"
ZONE = "us-central1-a"
NAME = "web"

# EMULATOR: the address that the instance has in the cloud, and where it is dialled.
INSTANCE, ADDRESS, DIALLED, PORT = "web-1", "10.128.7.10", "127.128.7.10", 8080


# EMULATOR: it asks for no credentials, unless it is told to. With a metadata server (`--metadata-listen`), whose address
# is in GCE_METADATA_HOST and GCE_METADATA_IP, Google's default credentials work.
if "GCE_METADATA_HOST" in os.environ:
    credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    assert project == PROJECT, project
else:
    credentials = AnonymousCredentials()


def client(kind):
    """A client of one collection."""
    # EMULATOR: without these two it asks for Google's default credentials and calls the real API.
    return kind(credentials=credentials, client_options=ClientOptions(api_endpoint=ENDPOINT))


addresses = client(compute_v1.GlobalAddressesClient)
backend_services = client(compute_v1.BackendServicesClient)
certificates = client(compute_v1.SslCertificatesClient)
firewalls = client(compute_v1.FirewallsClient)
forwarding_rules = client(compute_v1.GlobalForwardingRulesClient)
health_checks = client(compute_v1.HealthChecksClient)
instance_groups = client(compute_v1.InstanceGroupsClient)
network_endpoint_groups = client(compute_v1.NetworkEndpointGroupsClient)
proxies = client(compute_v1.TargetHttpsProxiesClient)
url_maps = client(compute_v1.UrlMapsClient)
zones = client(compute_v1.ZonesClient)
global_operations = client(compute_v1.GlobalOperationsClient)
zone_operations = client(compute_v1.ZoneOperationsClient)


def done(operation):
    """Waits for what a method such as `insert_unary` began.

    `insert(…).result()` would wait as well, but the client that asks for the operation is one that the library makes for
    itself, and that one always calls Google's endpoint. So it is asked for here, by a client of the same endpoint. A
    program that uses `result()` all over can be helped as `asking_here` does.
    """
    while operation.status != compute_v1.Operation.Status.DONE:
        if operation.zone:
            zone = operation.zone.rsplit("/", 1)[1]
            operation = zone_operations.wait(project=PROJECT, zone=zone, operation=operation.name)
        else:
            operation = global_operations.wait(project=PROJECT, operation=operation.name)
    if operation.error.errors:
        raise RuntimeError(f"{operation.operation_type} of {operation.target_link}: {operation.error}")
    return operation


def asking_here(service):
    """EMULATOR: lets `result()` ask here. It uses a private name of the library, which may go with any version of it."""
    service.transport._extended_operations_services["global_operations"] = global_operations
    return service


def refused(kind, method, **request):
    """Calls a method that the API must refuse, and returns the error."""
    try:
        method(**request)
    except kind as error:
        return error
    raise AssertionError(f"{method.__qualname__}({request}) was not refused")


def serve():
    """The server of the instance."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = f"hello {self.path} from port {PORT}".encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((DIALLED, PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def register_instance():
    """EMULATOR: tells of an instance and its address; a real one has both."""
    body = {"project": PROJECT, "zone": ZONE, "name": INSTANCE, "address": ADDRESS}
    request = urllib.request.Request(f"{ENDPOINT}/_emulator/instances", json.dumps(body).encode(), method="POST")
    urllib.request.urlopen(request).close()


def certificate(address):
    """A certificate for an address, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    return (
        signed.public_bytes(pem).decode(),
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode(),
    )


def groups():
    """An instance group and a network endpoint group, both with the one instance."""
    instance = f"projects/{PROJECT}/zones/{ZONE}/instances/{INSTANCE}"
    place = {"project": PROJECT, "zone": ZONE}
    group = compute_v1.InstanceGroup(name=NAME, named_ports=[compute_v1.NamedPort(name="http", port=PORT)])
    done(instance_groups.insert_unary(**place, instance_group_resource=group))
    members = compute_v1.InstanceGroupsAddInstancesRequest(
        instances=[compute_v1.InstanceReference(instance=instance)]
    )
    done(
        instance_groups.add_instances_unary(
            **place, instance_group=NAME, instance_groups_add_instances_request_resource=members
        )
    )
    neg = compute_v1.NetworkEndpointGroup(
        name=NAME, network_endpoint_type="GCE_VM_IP_PORT", network="global/networks/default"
    )
    done(network_endpoint_groups.insert_unary(**place, network_endpoint_group_resource=neg))
    endpoint = compute_v1.NetworkEndpoint(instance=instance, ip_address=ADDRESS, port=PORT)
    done(
        network_endpoint_groups.attach_network_endpoints_unary(
            **place,
            network_endpoint_group=NAME,
            network_endpoint_groups_attach_endpoints_request_resource=compute_v1.NetworkEndpointGroupsAttachEndpointsRequest(
                network_endpoints=[endpoint]
            ),
        )
    )


def build():
    """Everything from the address to the backends; the address."""
    done(addresses.insert_unary(project=PROJECT, address_resource=compute_v1.Address(name=NAME)))
    address = addresses.get(project=PROJECT, address=NAME).address

    admitted = compute_v1.Firewall(
        name=NAME,
        allowed=[compute_v1.Allowed(I_p_protocol="tcp", ports=[str(PORT)])],
        source_ranges=["130.211.0.0/22", "35.191.0.0/16"],
    )
    done(firewalls.insert_unary(project=PROJECT, firewall_resource=admitted))
    groups()
    check = compute_v1.HealthCheck(
        name=NAME,
        type_="HTTP",
        check_interval_sec=1,
        timeout_sec=1,
        healthy_threshold=1,
        http_health_check=compute_v1.HTTPHealthCheck(port=PORT, request_path="/healthz"),
    )
    done(health_checks.insert_unary(project=PROJECT, health_check_resource=check))

    backends = {
        f"{NAME}-neg": compute_v1.Backend(
            group=f"zones/{ZONE}/networkEndpointGroups/{NAME}",
            balancing_mode="RATE",
            max_rate_per_endpoint=100,
        ),
        f"{NAME}-instances": compute_v1.Backend(group=f"zones/{ZONE}/instanceGroups/{NAME}"),
    }
    for name, backend in backends.items():
        service = compute_v1.BackendService(
            name=name,
            protocol="HTTP",
            load_balancing_scheme="EXTERNAL_MANAGED",
            health_checks=[f"global/healthChecks/{NAME}"],
            backends=[backend],
        )
        done(backend_services.insert_unary(project=PROJECT, backend_service_resource=service))

    url_map = compute_v1.UrlMap(
        name=NAME,
        default_service=f"global/backendServices/{NAME}-neg",
        host_rules=[compute_v1.HostRule(hosts=["*"], path_matcher="all")],
        path_matchers=[
            compute_v1.PathMatcher(
                name="all",
                default_service=f"global/backendServices/{NAME}-neg",
                path_rules=[
                    compute_v1.PathRule(paths=["/old/*"], service=f"global/backendServices/{NAME}-instances")
                ],
            )
        ],
    )
    done(url_maps.insert_unary(project=PROJECT, url_map_resource=url_map))
    chain, key = certificate(address)
    uploaded = compute_v1.SslCertificate(name=NAME, certificate=chain, private_key=key)
    done(certificates.insert_unary(project=PROJECT, ssl_certificate_resource=uploaded))
    proxy = compute_v1.TargetHttpsProxy(
        name=NAME, url_map=f"global/urlMaps/{NAME}", ssl_certificates=[f"global/sslCertificates/{NAME}"]
    )
    done(proxies.insert_unary(project=PROJECT, target_https_proxy_resource=proxy))
    rule = compute_v1.ForwardingRule(
        name=NAME,
        load_balancing_scheme="EXTERNAL_MANAGED",
        I_p_address=address,
        I_p_protocol="TCP",
        port_range="443",
        target=f"global/targetHttpsProxies/{NAME}",
    )
    done(forwarding_rules.insert_unary(project=PROJECT, forwarding_rule_resource=rule))
    return address


def wait_until_healthy(service):
    for group in backend_services.get(project=PROJECT, backend_service=service).backends:
        reference = compute_v1.ResourceGroupReference(group=group.group)
        deadline = time.monotonic() + 60
        while True:
            health = backend_services.get_health(
                project=PROJECT, backend_service=service, resource_group_reference_resource=reference
            )
            states = [endpoint.health_state for endpoint in health.health_status]
            if states and all(state == "HEALTHY" for state in states):
                assert health.health_status[0].ip_address == ADDRESS, health
                break
            assert time.monotonic() < deadline, f"{service} does not become healthy: {health}"
            time.sleep(0.2)


def use(address):
    """Requests through the load balancer."""
    chain = certificates.get(project=PROJECT, ssl_certificate=NAME).certificate
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as trusted:
        trusted.write(chain)
        trusted.flush()
        session = requests.Session()
        session.trust_env = False
        for path in ["/", "/old/page"]:
            answer = session.get(f"https://{address}{path}", verify=trusted.name, timeout=30)
            assert (answer.status_code, answer.text) == (200, f"hello {path} from port {PORT}"), answer.text
            assert "google" in answer.headers["via"]


def look():
    """Lists of every kind."""
    names = [service.name for service in backend_services.list(project=PROJECT)]
    assert names == [f"{NAME}-instances", f"{NAME}-neg"], names
    # The library asks for page after page by itself.
    paged = compute_v1.ListBackendServicesRequest(project=PROJECT, max_results=1)
    assert [service.name for service in backend_services.list(request=paged)] == names
    filtered = compute_v1.ListBackendServicesRequest(project=PROJECT, filter=f'name = "{NAME}-neg"')
    assert [service.name for service in backend_services.list(request=filtered)] == [f"{NAME}-neg"]
    newest = compute_v1.ListBackendServicesRequest(project=PROJECT, order_by="creationTimestamp desc")
    assert [service.name for service in backend_services.list(request=newest)] == names

    everywhere = dict(network_endpoint_groups.aggregated_list(project=PROJECT))
    assert [group.name for group in everywhere[f"zones/{ZONE}"].network_endpoint_groups] == [NAME]
    assert everywhere["zones/europe-west1-b"].warning.code == "NO_RESULTS_ON_PAGE"
    assert ZONE in [zone.name for zone in zones.list(project=PROJECT)]

    members = compute_v1.InstanceGroupsListInstancesRequest(instance_state="ALL")
    [member] = instance_groups.list_instances(
        project=PROJECT,
        zone=ZONE,
        instance_group=NAME,
        instance_groups_list_instances_request_resource=members,
    )
    assert member.instance.endswith(f"/instances/{INSTANCE}")
    wanted = compute_v1.NetworkEndpointGroupsListEndpointsRequest(health_status="SHOW")
    [endpoint] = network_endpoint_groups.list_network_endpoints(
        project=PROJECT,
        zone=ZONE,
        network_endpoint_group=NAME,
        network_endpoint_groups_list_endpoints_request_resource=wanted,
    )
    assert endpoint.network_endpoint.port == PORT
    assert endpoint.healths[0].health_state == "HEALTHY", endpoint
    assert forwarding_rules.get(project=PROJECT, forwarding_rule=NAME).target.endswith(NAME)


def change():
    """Updates, patches, and the lock that both have."""
    name = f"{NAME}-neg"
    before = backend_services.get(project=PROJECT, backend_service=name)
    patch = compute_v1.BackendService(timeout_sec=45, fingerprint=before.fingerprint)
    done(backend_services.patch_unary(project=PROJECT, backend_service=name, backend_service_resource=patch))
    after = backend_services.get(project=PROJECT, backend_service=name)
    assert (after.timeout_sec, after.protocol) == (45, "HTTP")

    # The same body once more: somebody else has changed the service since it was read.
    refused(
        exceptions.PreconditionFailed,
        backend_services.patch_unary,
        project=PROJECT,
        backend_service=name,
        backend_service_resource=patch,
    )
    after.connection_draining = compute_v1.ConnectionDraining(draining_timeout_sec=10)
    done(backend_services.update_unary(project=PROJECT, backend_service=name, backend_service_resource=after))
    after = backend_services.get(project=PROJECT, backend_service=name)
    assert (after.timeout_sec, after.connection_draining.draining_timeout_sec) == (45, 10)

    narrower = compute_v1.HealthCheck(description="asked every second")
    patched = asking_here(health_checks).patch(
        project=PROJECT, health_check=NAME, health_check_resource=narrower
    )
    assert patched.result(timeout=60) is None and patched.status == compute_v1.Operation.Status.DONE

    url_map = url_maps.get(project=PROJECT, url_map=NAME)
    url_map.path_matchers[0].path_rules.append(
        compute_v1.PathRule(
            paths=["/moved"],
            url_redirect=compute_v1.HttpRedirectAction(path_redirect="/", redirect_response_code="FOUND"),
        )
    )
    done(url_maps.update_unary(project=PROJECT, url_map=NAME, url_map_resource=url_map))


def errors():
    """What a program meets when it is wrong."""
    missing = refused(exceptions.NotFound, url_maps.get, project=PROJECT, url_map="nothing")
    assert missing.message.endswith("The resource 'projects/demo/global/urlMaps/nothing' was not found"), missing
    again = compute_v1.Address(name=NAME)
    refused(exceptions.Conflict, addresses.insert_unary, project=PROJECT, address_resource=again)
    used = refused(exceptions.BadRequest, url_maps.delete_unary, project=PROJECT, url_map=NAME)
    assert "is already being used by" in used.message, used
    wrong = compute_v1.Address(name="Not_A_Name")
    bad = refused(exceptions.BadRequest, addresses.insert_unary, project=PROJECT, address_resource=wrong)
    assert "Invalid value for field 'resource.name': 'Not_A_Name'" in bad.message, bad


def take_down():
    """All of it, from the outside in."""
    everywhere = {"project": PROJECT}
    zonal = {"project": PROJECT, "zone": ZONE}
    done(forwarding_rules.delete_unary(**everywhere, forwarding_rule=NAME))
    done(proxies.delete_unary(**everywhere, target_https_proxy=NAME))
    done(certificates.delete_unary(**everywhere, ssl_certificate=NAME))
    done(url_maps.delete_unary(**everywhere, url_map=NAME))
    for service in backend_services.list(**everywhere):
        done(backend_services.delete_unary(**everywhere, backend_service=service.name))
    done(health_checks.delete_unary(**everywhere, health_check=NAME))
    done(network_endpoint_groups.delete_unary(**zonal, network_endpoint_group=NAME))
    done(instance_groups.delete_unary(**zonal, instance_group=NAME))
    done(firewalls.delete_unary(**everywhere, firewall=NAME))
    done(addresses.delete_unary(**everywhere, address=NAME))
    assert list(backend_services.list(project=PROJECT)) == []


register_instance()
serve()
address = build()
for service in [f"{NAME}-neg", f"{NAME}-instances"]:
    wait_until_healthy(service)
use(address)
look()
change()
errors()
take_down()
print(f"built, used and taken down: https://{address}")
