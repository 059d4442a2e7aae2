import Synchronization
import Testing

@testable import L7Proxy

@Suite struct WindowGateTests {
    @Test("what is refused of a peer that was granted less is not counted: nothing of it is left when the rest is gone")
    func refused() {
        let limits = ProxyLimits()
        let table = ConnectionTable(limits)
        let gate = WindowGate(toServer: false, limits, table)
        var taken = 0
        while gate.hold(WindowGate.window) { taken += 1 }
        #expect(!gate.hold(WindowGate.window))
        #expect(table.waitingBodies.load(ordering: .relaxed) == taken * WindowGate.window)
        for _ in 0..<taken { gate.release(WindowGate.window) }
        #expect(table.waitingBodies.load(ordering: .relaxed) == 0 && gate.fullSince == nil)
    }
}
