/// The kinds of diagnostics. The names are stable, the wording of messages is not. `DiagnosticCatalogue` explains each.
public enum DiagnosticID: String, Hashable, CaseIterable, Sendable {
    // Files and documents.

    /// The bytes are not valid YAML or JSON.
    case syntax
    /// A file is too big, too deep or expands to too much.
    case limit
    /// A file cannot be read.
    case unreadable
    /// Standard input, or a file that was named, holds no object.
    case emptyInput = "empty-input"
    /// A map has the same key twice.
    case duplicateKey = "duplicate-key"
    /// Two objects have the same kind, namespace and name.
    case duplicateObject = "duplicate-object"
    /// A document is not a Kubernetes object.
    case notAnObject = "not-an-object"
    /// A kustomization changes what files say, so that they are not what is applied.
    case kustomization
    /// A file with placeholders of Helm, Flux or envsubst that nobody has filled in.
    case unrenderedTemplate = "unrendered-template"
    /// The kind is a policy kind in an unsupported apiVersion, or is similar to a policy kind.
    case unknownKind = "unknown-kind"

    // Fields and values.

    /// A field that the kind does not have.
    case unknownField = "unknown-field"
    /// A field that exists but that netpold does not enforce.
    case unsupportedField = "unsupported-field"
    /// A required field is missing.
    case missingField = "missing-field"
    /// A value has the wrong type.
    case wrongType = "wrong-type"
    /// A value has the right type but is not allowed.
    case invalidValue = "invalid-value"
    /// Two mutually exclusive fields are both set.
    case conflict
    /// A list has more elements than allowed.
    case tooMany = "too-many"
    /// All policies together name more prefixes than there is room for.
    case tooManyPrefixes = "too-many-prefixes"
    /// The last port of a range is below the first.
    case endPortBelowPort = "end-port-below-port"
    /// A field or rule is valid but has no effect, or not the one it seems to have.
    case noEffect = "no-effect"
    /// A policy that selects nodes: it is evaluated, but cannot be loaded yet.
    case hostPolicy = "host-policy"
    /// A policy refers to a service or CIDR group that does not exist.
    case unresolved = "unresolved-reference"
    /// Services have more addresses than there is room for.
    case servicesLeftOut = "services-left-out"
    /// Several pods, or a pod and a node, claim one address.
    case contestedAddress = "contested-address"

    // Valid policies that are probably wrong: the checks of `netpold lint`.

    /// A selector that no known pod or namespace matches.
    case selectsNothing = "selects-nothing"
    /// Two elements of `from` or `to` where one with both selectors was meant.
    case orInsteadOfAnd = "or-instead-of-and"
    /// Pods that may reach others by name but may not query DNS.
    case egressWithoutDNS = "egress-without-dns"
    /// A Cilium rule list with an element `{}`.
    case emptyElement = "empty-element"
    /// An empty list of peers.
    case emptyPeerList = "empty-peer-list"
    /// HTTP rules on a port that carries TLS.
    case httpOnTLSPort = "http-on-tls-port"
    /// An HTTP rule that no well-formed request matches.
    case httpNeverMatches = "http-never-matches"
    /// Server names on a port whose protocol is not TCP alone.
    case serverNamesNotQUIC = "server-names-not-quic"
    /// An allow rule that a deny rule overrides entirely.
    case shadowedByDeny = "shadowed-by-deny"
    /// A rule that a wider rule makes redundant.
    case redundantRule = "redundant-rule"
    /// L7 rules next to a plain rule that allows the same.
    case bypassedL7 = "bypassed-l7"
    /// A rule with only deny elements, which isolates its pods.
    case denyIsolates = "deny-isolates"
    /// toFQDNs whose names no DNS rule observes.
    case fqdnWithoutDNSRule = "fqdn-without-dns-rule"
    /// A CIDR of a Cilium policy that covers addresses of the cluster.
    case cidrCoversCluster = "cidr-covers-cluster"
    /// The port of a Service instead of the port of its pods.
    case servicePort = "service-port"
    /// A port name that no selected pod has.
    case unknownPortName = "unknown-port-name"
    /// The entity kube-apiserver without addresses.
    case apiServerUnknown = "api-server-unknown"
    /// A policy in a namespace that no object declares.
    case undeclaredNamespace = "undeclared-namespace"
    /// A peer with the labels of DNS pods, in a namespace where they are not.
    case dnsPeerWithoutNamespace = "dns-peer-without-namespace"
    /// A label key that looks like that of a namespace's label and is not.
    case namespaceLabelKey = "namespace-label-key"
    /// A namespaceSelector that matches the label `name`.
    case namespaceNameLabel = "namespace-name-label"
}
