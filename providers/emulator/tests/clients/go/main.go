// A global HTTP load balancer on the emulator, with Google's own client library.
//
//	go run . http://127.0.0.1:8787
//
// The argument is where the emulator listens. Nothing here is particular to the emulator but what is marked EMULATOR:
// without those lines, and with credentials, the same program works on Google Cloud.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	compute "google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

const (
	project = "demo"
	zone    = "us-central1-a"
	name    = "web"
	// EMULATOR: the address that the instance has in the cloud, and where it is dialled.
	instance = "web-1"
	address  = "10.128.9.10"
	dialled  = "127.128.9.10"
	port     = 8080
)

type cloud struct{ *compute.Service }

func main() {
	endpoint := strings.TrimSuffix(os.Args[1], "/")
	registerInstance(endpoint)
	serve()
	// EMULATOR: without these options it calls the real API. With a metadata server (--metadata-listen), whose address is
	// in GCE_METADATA_HOST, Google's default credentials work; without one, the emulator asks for none.
	options := []option.ClientOption{option.WithEndpoint(endpoint + "/compute/v1/")}
	if os.Getenv("GCE_METADATA_HOST") == "" {
		options = append(options, option.WithoutAuthentication())
	}
	service, err := compute.NewService(context.Background(), options...)
	check(err)
	here := cloud{service}
	frontend := here.build()
	here.waitUntilHealthy()
	answer, err := http.Get("http://" + frontend + "/")
	check(err)
	body, err := io.ReadAll(answer.Body)
	check(err)
	expect(answer.StatusCode == http.StatusOK && string(body) == "hello", answer.Status, string(body))
	here.look()
	here.takeDown()
	fmt.Printf("built, used and taken down: http://%s\n", frontend)
}

// done waits for what a method began.
func (here cloud) done(operation *compute.Operation, err error) {
	check(err)
	for operation.Status != "DONE" {
		if operation.Zone != "" {
			operation, err = here.ZoneOperations.Wait(project, zone, operation.Name).Do()
		} else {
			operation, err = here.GlobalOperations.Wait(project, operation.Name).Do()
		}
		check(err)
	}
	if operation.Error != nil {
		log.Fatalf("%s of %s: %s", operation.OperationType, operation.TargetLink, operation.Error.Errors[0].Message)
	}
}

// build makes everything from the address to the backend, and returns the address.
func (here cloud) build() string {
	here.done(here.GlobalAddresses.Insert(project, &compute.Address{Name: name}).Do())
	here.done(here.Firewalls.Insert(project, &compute.Firewall{
		Name:         name,
		Allowed:      []*compute.FirewallAllowed{{IPProtocol: "tcp", Ports: []string{fmt.Sprint(port)}}},
		SourceRanges: []string{"130.211.0.0/22", "35.191.0.0/16"},
	}).Do())
	here.done(here.NetworkEndpointGroups.Insert(project, zone, &compute.NetworkEndpointGroup{
		Name: name, NetworkEndpointType: "GCE_VM_IP_PORT", Network: "global/networks/default",
	}).Do())
	endpoints := &compute.NetworkEndpointGroupsAttachEndpointsRequest{NetworkEndpoints: []*compute.NetworkEndpoint{{
		Instance: fmt.Sprintf("projects/%s/zones/%s/instances/%s", project, zone, instance), IpAddress: address, Port: port,
	}}}
	here.done(here.NetworkEndpointGroups.AttachNetworkEndpoints(project, zone, name, endpoints).Do())
	here.done(here.HealthChecks.Insert(project, &compute.HealthCheck{
		Name: name, Type: "HTTP", CheckIntervalSec: 1, TimeoutSec: 1, HealthyThreshold: 1,
		HttpHealthCheck: &compute.HTTPHealthCheck{Port: port},
	}).Do())
	here.done(here.BackendServices.Insert(project, &compute.BackendService{
		Name: name, Protocol: "HTTP", LoadBalancingScheme: "EXTERNAL_MANAGED",
		HealthChecks: []string{"global/healthChecks/" + name},
		Backends: []*compute.Backend{{
			Group:         fmt.Sprintf("zones/%s/networkEndpointGroups/%s", zone, name),
			BalancingMode: "RATE", MaxRatePerEndpoint: 100,
		}},
	}).Do())
	here.done(here.UrlMaps.Insert(project, &compute.UrlMap{Name: name, DefaultService: "global/backendServices/" + name}).Do())
	here.done(here.TargetHttpProxies.Insert(project, &compute.TargetHttpProxy{Name: name, UrlMap: "global/urlMaps/" + name}).Do())
	reserved, err := here.GlobalAddresses.Get(project, name).Do()
	check(err)
	here.done(here.GlobalForwardingRules.Insert(project, &compute.ForwardingRule{
		Name: name, LoadBalancingScheme: "EXTERNAL_MANAGED", IPAddress: reserved.Address, IPProtocol: "TCP",
		PortRange: "80", Target: "global/targetHttpProxies/" + name,
	}).Do())
	return reserved.Address
}

func (here cloud) waitUntilHealthy() {
	group := &compute.ResourceGroupReference{Group: fmt.Sprintf("zones/%s/networkEndpointGroups/%s", zone, name)}
	for range 300 {
		health, err := here.BackendServices.GetHealth(project, name, group).Do()
		check(err)
		if len(health.HealthStatus) == 1 && health.HealthStatus[0].HealthState == "HEALTHY" {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	log.Fatal("it does not become healthy")
}

// look lists, changes under the lock, and meets errors.
func (here cloud) look() {
	var found []string
	err := here.BackendServices.AggregatedList(project).Filter("name = "+name).Pages(context.Background(),
		func(list *compute.BackendServiceAggregatedList) error {
			for place, services := range list.Items {
				for _, service := range services.BackendServices {
					found = append(found, place+"/"+service.Name)
				}
			}
			return nil
		})
	check(err)
	expect(strings.Join(found, " ") == "global/"+name, found...)
	service, err := here.BackendServices.Get(project, name).Do()
	check(err)
	patch := &compute.BackendService{TimeoutSec: 45, Fingerprint: service.Fingerprint}
	here.done(here.BackendServices.Patch(project, name, patch).Do())
	_, err = here.BackendServices.Patch(project, name, patch).Do()
	refused(err, http.StatusPreconditionFailed, "conditionNotMet")
	_, err = here.UrlMaps.Get(project, "nothing").Do()
	refused(err, http.StatusNotFound, "notFound")
	_, err = here.GlobalAddresses.Insert(project, &compute.Address{Name: name}).Do()
	refused(err, http.StatusConflict, "alreadyExists")
	_, err = here.UrlMaps.Delete(project, name).Do()
	refused(err, http.StatusBadRequest, "resourceInUseByAnotherResource")
}

// takeDown deletes all of it, from the outside in.
func (here cloud) takeDown() {
	here.done(here.GlobalForwardingRules.Delete(project, name).Do())
	here.done(here.TargetHttpProxies.Delete(project, name).Do())
	here.done(here.UrlMaps.Delete(project, name).Do())
	here.done(here.BackendServices.Delete(project, name).Do())
	here.done(here.HealthChecks.Delete(project, name).Do())
	here.done(here.NetworkEndpointGroups.Delete(project, zone, name).Do())
	here.done(here.Firewalls.Delete(project, name).Do())
	here.done(here.GlobalAddresses.Delete(project, name).Do())
}

// registerInstance tells the EMULATOR of an instance and its address; a real one has both.
func registerInstance(endpoint string) {
	body := fmt.Sprintf(`{"project": %q, "zone": %q, "name": %q, "address": %q}`, project, zone, instance, address)
	answer, err := http.Post(endpoint+"/_emulator/instances", "application/json", strings.NewReader(body))
	check(err)
	expect(answer.StatusCode == http.StatusOK, answer.Status)
}

// serve is the server of the instance.
func serve() {
	hello := http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) { io.WriteString(answer, "hello") })
	go func() { log.Fatal(http.ListenAndServe(fmt.Sprintf("%s:%d", dialled, port), hello)) }()
}

func refused(err error, code int, reason string) {
	var refusal *googleapi.Error
	expect(errors.As(err, &refusal) && refusal.Code == code && refusal.Errors[0].Reason == reason, fmt.Sprint(err))
}

func expect(holds bool, found ...string) {
	if !holds {
		log.Panic("unexpected: ", found)
	}
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
