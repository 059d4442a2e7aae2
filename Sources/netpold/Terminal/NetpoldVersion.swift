import CNetpoldVersion

/// What `netpold version` says.
enum NetpoldVersion {
    /// Raised with the heading of CHANGELOG.md; deploy/ names images of it. A tag `vX.Y.Z` is on a commit where this is `X.Y.Z`.
    static let base = "0.1.0-dev"

    /// The base, with the commit where `make dist` named one: `0.1.0-dev+g1a2b3c4` (scripts/version.sh).
    static let text = {
        let built = String(cString: netpold_built_version())
        return built.isEmpty ? base : built
    }()
}
