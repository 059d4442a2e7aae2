/// A lab's result as grids: who reached whom, one grid for all traffic with the same picture.
public struct LabMatrix: Hashable, Sendable {
    /// What a cell shows, over both families.
    public enum Cell: Hashable, Sendable {
        /// Nothing was tried.
        case none
        /// Everything passed, as predicted.
        case passed
        /// Everything was dropped, as predicted.
        case dropped
        /// Only this family (4 or 6) passed, as predicted.
        case onlyFamily(Int)
        /// Requests decide; what is none was not answered, as predicted.
        case byRequest
        /// At least one family went otherwise than predicted.
        case different
    }

    /// A grid and the traffic it holds for.
    public struct Group: Hashable, Sendable {
        /// The traffic, sorted.
        public var traffic: [LabTraffic]
        /// Rows ask, columns are asked; both in the order of `LabPlan.ends`.
        public var cells: [[Cell]]
    }

    /// The grids: first the one that holds for most traffic, then the others by their first traffic.
    public var groups: [Group]

    /// The grids of a result.
    public init(_ result: LabResult) {
        let ends = result.plan.ends
        let position = Dictionary(ends.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let blank = [[[Outcome]]](
            repeating: [[Outcome]](repeating: [], count: ends.count),
            count: ends.count)
        var found: [LabTraffic: [[[Outcome]]]] = [:]
        for (flow, measurement) in zip(result.plan.flows, result.measurements) {
            guard let row = position[flow.from], let column = position[flow.to] else { continue }
            found[flow.traffic, default: blank][row][column].append(
                Outcome(
                    family: flow.family, passed: measurement == .answered,
                    agrees: measurement.agrees(with: flow.prediction), needsRequest: flow.prediction.needsRequest))
        }
        var groups: [Group] = []
        for traffic in result.plan.traffic {
            guard let grid = found[traffic] else { continue }
            let cells = grid.map { $0.map(LabMatrix.cell) }
            if let same = groups.firstIndex(where: { $0.cells == cells }) {
                groups[same].traffic.append(traffic)
            } else {
                groups.append(Group(traffic: [traffic], cells: cells))
            }
        }
        if let most = groups.indices.max(by: {
            // Among equals the first.
            (groups[$0].traffic.count, $1) < (groups[$1].traffic.count, $0)
        }) {
            groups.insert(groups.remove(at: most), at: 0)
        }
        self.groups = groups
    }

    /// The rows of a grid that differ from the first grid's; all rows of the first one.
    public func rows(of group: Int) -> [Int] {
        groups[group].cells.indices.filter { row in
            group == 0
                ? groups[0].cells[row].contains { $0 != .none }
                : groups[group].cells[row] != groups[0].cells[row]
        }
    }

    private struct Outcome {
        var family: Int
        var passed: Bool
        var agrees: Bool
        var needsRequest: Bool
    }

    private static func cell(_ outcomes: [Outcome]) -> Cell {
        if outcomes.isEmpty { return .none }
        if outcomes.contains(where: { !$0.agrees }) { return .different }
        if outcomes.allSatisfy(\.needsRequest) { return .byRequest }
        let passed = outcomes.filter(\.passed)
        if passed.count == outcomes.count { return .passed }
        guard let family = passed.first?.family else { return .dropped }
        return .onlyFamily(family)
    }
}
