import CNetpoldABI

extension np_bench_plan {
    /// How the programs of the bench vary a packet.
    ///
    /// - Parameters:
    ///   - flows: a power of two.
    ///   - addresses: of the flows; their ports are the rest of a flow's number.
    ///   - firstAddress: IPv4, host order; of DNS messages the place of the first one in the frame.
    ///   - addressStep: between one address and the next.
    init(flows: UInt32, addresses: UInt32, firstAddress: UInt32 = 0, addressStep: UInt32 = 0) {
        self.init()
        mask = flows - 1
        self.addresses = addresses
        first_address = firstAddress
        address_step = addressStep
    }
}
