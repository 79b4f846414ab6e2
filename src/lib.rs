//! Google Cloud load balancers from Kubernetes Ingress objects.
