import CNetpoldABI

extension ServiceTables {
    /// How many entries the maps can hold.
    public struct Limits: Hashable, Sendable {
        /// np_services.
        public var frontends: Int
        /// np_maglev.
        public var maglev: Int
        /// np_backends.
        public var backends: Int
        /// np_backend_ends.
        public var ends: Int

        /// Limits of maps; `nil` for those of the object.
        public init(frontends: Int? = nil, maglev: Int? = nil, backends: Int? = nil, ends: Int? = nil) {
            self.frontends = frontends ?? Int(NP_MAX_SERVICES)
            self.maglev = maglev ?? Int(NP_MAX_MAGLEV)
            self.backends = backends ?? Int(NP_MAX_BACKENDS)
            self.ends = ends ?? Int(NP_MAX_BACKENDS)
        }
    }
}
