public import NetTypes

/// One element of `fromCIDRSet` / `toCIDRSet`.
public struct CIDRRule: Hashable, Sendable {
    /// Where the addresses come from; exactly one is set.
    public enum Source: Hashable, Sendable {
        /// `cidr`.
        case prefix(IPPrefix)
        /// `cidrGroupRef`: the name of a CiliumCIDRGroup.
        case group(String)
        /// `cidrGroupSelector`.
        case groups(LabelSelector)
    }

    /// The addresses.
    public var source: Source
    /// `except`: excluded from this element only.
    public var except: [IPPrefix]

    /// A CIDR rule.
    public init(source: Source, except: [IPPrefix] = []) {
        self.source = source
        self.except = except
    }
}

/// One element of `toServices`.
public enum ServiceReference: Hashable, Sendable {
    /// `k8sService`; an empty namespace means any.
    case named(name: String, namespace: String)
    /// `k8sServiceSelector`; an empty namespace means any.
    case selected(LabelSelector, namespace: String)
}

/// One element of `toFQDNs` or of `rules.dns`: a literal name or a pattern, as written.
public enum FQDNSelector: Hashable, Sendable {
    /// `matchName`.
    case name(String)
    /// `matchPattern`.
    case pattern(String)
}
