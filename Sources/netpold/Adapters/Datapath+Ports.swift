public import Agent
public import Datapath

// The kernel side is what the agent asks for, member by member.
extension NodeDatapath: DatapathPort {}
extension RingBufferReader: VerdictReader {}
extension HostScanner: NodeSource {}
extension KernelDecider: PacketDecider {}
