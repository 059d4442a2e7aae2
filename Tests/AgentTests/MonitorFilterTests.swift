import Testing

@testable import Agent

@Suite struct MonitorFilterTests {
    @Test(
        "filters choose by drop, pod and policy",
        arguments: [
            (MonitorFilter(), true), (MonitorFilter(dropsOnly: true), true), (MonitorFilter(pod: "shop/web"), true),
            (MonitorFilter(pod: "shop/other"), false), (MonitorFilter(policy: "db"), true),
            (MonitorFilter(policy: "shop/db"), true), (MonitorFilter(policy: "b"), false),
        ])
    func filters(filter: MonitorFilter, isAccepted: Bool) {
        #expect(filter.accepts(Fixtures.verdict()) == isAccepted)
        #expect(MonitorFilter(dropsOnly: true).accepts(Fixtures.verdict(isDrop: false)) == false)
    }
}
