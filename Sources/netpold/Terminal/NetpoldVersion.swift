/// What `netpold --version` says; raised with the heading of CHANGELOG.md.
enum NetpoldVersion {
    static let text = "0.1.0-dev"
}
