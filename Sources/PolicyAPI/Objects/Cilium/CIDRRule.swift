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
