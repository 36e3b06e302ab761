(* Windows of any number n of taps 0 .. n - 1: the shares of their maximum, by induction over the taps. *)
From Symconv Require Export Follow.

Section Taps.
Variable F : OField.
Add Ring values : (laws F).
Notation order := (@order_of F).
Notation taps n := (range 0 (n - 1)).

Lemma larger_iff v lo hi (x : Z -> F) :
  larger order v (max_of order (range lo hi) x) = true <-> forall k, lo <= k <= hi -> le order v (x k) = false.
Proof.
  destruct (max_of order (range lo hi) x) as [m|] eqn:E; cbn.
  - apply max_some in E as [[t [T <-]] U]. rewrite negb_true_iff. split; intros H.
    + intros k K. destruct (le order v (x k)) eqn:L; auto. rewrite <- H. symmetry. eapply le_trans; [exact L|].
      apply U, in_range, K.
    + apply H, in_range, T.
  - apply max_none in E. split; auto. intros _ k K. apply in_range in K. rewrite E in K. destruct K.
Qed.
Lemma no_smaller_iff v lo hi (x : Z -> F) :
  no_smaller order v (max_of order (range lo hi) x) = true <-> forall k, lo <= k <= hi -> le order (x k) v = true.
Proof.
  destruct (max_of order (range lo hi) x) as [m|] eqn:E; cbn.
  - apply max_some in E as [[t [T <-]] U]. split; intros H.
    + intros k K. eapply le_trans; [|exact H]. apply U, in_range, K.
    + apply H, in_range, T.
  - apply max_none in E. split; auto. intros _ k K. apply in_range in K. rewrite E in K. destruct K.
Qed.
(* The first of the largest taps. *)
Lemma first_largest (x : Z -> F) n : 1 <= n -> exists t, 0 <= t <= n - 1 /\
  (forall k, 0 <= k <= t - 1 -> le order (x t) (x k) = false) /\ (forall k, 0 <= k <= n - 1 -> le order (x k) (x t) = true).
Proof.
  intros N. replace n with (1 + Z.of_nat (Z.to_nat (n - 1))) by lia. clear N. induction (Z.to_nat (n - 1)) as [|m IH].
  - exists 0. split; [lia | split; intros k K; [lia|]]. replace k with 0 by lia. apply le_refl.
  - destruct IH as (t & T & B & U). rewrite Nat2Z.inj_succ. set (s := Z.of_nat m) in *.
    destruct (le order (x (1 + s)) (x t)) eqn:L.
    + exists t. split; [lia | split; [exact B|]]. intros k K. destruct (Z.eq_dec k (1 + s)) as [->|]; auto. apply U. lia.
    + exists (1 + s). pose proof (le_total _ _ _ L). split; [lia | split; intros k K].
      * destruct (le order (x (1 + s)) (x k)) eqn:M; auto. rewrite <- L. symmetry. eapply le_trans; [exact M|].
        apply U. lia.
      * destruct (Z.eq_dec k (1 + s)) as [->|]; [apply le_refl|]. eapply le_trans; [apply U; lia | auto].
Qed.
Lemma sum_only (t : Z) (l : list Z) (f : Z -> F) :
  NoDup l -> In t l -> (forall k, In k l -> k <> t -> f k = zero) -> sum l f = f t.
Proof.
  induction 1 as [|k l K N IH]; [intros []|]. cbn. intros [->|T] H.
  - rewrite sum_none; [ring|]. intros k M. apply H; auto. congruence.
  - rewrite H, IH; auto; [ring|]. congruence.
Qed.
Lemma maximum_is none (x : Z -> F) n t : 0 <= t <= n - 1 -> (forall k, 0 <= k <= n - 1 -> le order (x k) (x t) = true) ->
  maximum order none (taps n) x = x t.
Proof.
  intros T U. unfold maximum. replace (max_of order (taps n) x) with (Some (x t)); auto. symmetry. apply max_some.
  split; [exists t; split; auto; apply in_range, T | intros k K; apply U, in_range, K].
Qed.

(* Policy "first": a tap that is larger than all before it, and no smaller than all behind it. *)
Definition first_share (n : Z) (x : Z -> F) (k : Z) : F :=
  iv (larger order (x k) (max_of order (range 0 (k - 1)) x)) one ·
  iv (no_smaller order (x k) (max_of order (range (k + 1) (n - 1)) x)) one.
Lemma first_selects (n : Z) (x v : Z -> F) : 1 <= n -> exists t, 0 <= t <= n - 1 /\
  (forall k, 0 <= k <= n - 1 -> le order (x k) (x t) = true) /\ sum (taps n) (fun k => first_share n x k · v k) = v t.
Proof.
  intros N. destruct (first_largest x n N) as (t & T & B & U). exists t. split; [exact T | split; [exact U|]].
  rewrite (sum_only t); [|apply nodup_range | apply in_range, T |]; unfold first_share.
  - replace (larger _ _ _) with true by (symmetry; apply larger_iff; auto).
    replace (no_smaller _ _ _) with true by (symmetry; apply no_smaller_iff; intros; apply U; lia). cbn. ring.
  - intros k K D. apply in_range in K. destruct (larger _ _ _) eqn:A; [|cbn; ring].
    destruct (no_smaller _ _ _) eqn:C; [|cbn; ring]. exfalso. rewrite larger_iff in A. rewrite no_smaller_iff in C.
    destruct (Z.lt_total k t) as [|[|]]; [| lia |].
    + specialize (C t ltac:(lia)). rewrite B in C by lia. discriminate.
    + specialize (A t ltac:(lia)). rewrite U in A by lia. discriminate.
Qed.
Theorem first_sum (n : Z) (x : Z -> F) : 1 <= n -> sum (taps n) (first_share n x) = one.
Proof.
  intros N. destruct (first_selects n x (fun _ => one) N) as (t & _ & _ & <-). apply sum_ext. intros. ring.
Qed.
Theorem first_selection none (n : Z) (x : Z -> F) : 1 <= n ->
  sum (taps n) (fun k => first_share n x k · x k) = maximum order none (taps n) x.
Proof. intros N. destruct (first_selects n x x N) as (t & T & U & ->). symmetry. apply maximum_is; auto. Qed.

(* Policy "split": one over the number of the largest taps, for each of them. *)
Definition is_largest (n : Z) (x : Z -> F) (k : Z) : F := iv (no_smaller order (x k) (max_of order (taps n) x)) one.
Definition split_share (n : Z) (x : Z -> F) (k : Z) : F := is_largest n x k · inverse (sum (taps n) (is_largest n x)).
Lemma counted {A} (l : list A) (c : A -> bool) : sum l (fun k => iv (c k) (@one F)) = inj (Z.of_nat (length (filter c l))).
Proof.
  induction l as [|k l IH]; cbn [sum filter]; [symmetry; apply inj_0|]. rewrite IH. destruct (c k); cbn [length iv]; [|ring].
  rewrite Nat2Z.inj_succ. unfold Z.succ. rewrite inj_add, inj_1. ring.
Qed.
Lemma some_largest (n : Z) (x : Z -> F) : 1 <= n -> sum (taps n) (is_largest n x) <> zero.
Proof.
  intros N E. unfold is_largest in E. rewrite counted in E. set (c := Z.of_nat _) in E. assert (C : c <> 0).
  { destruct (first_largest x n N) as (t & T & _ & U). subst c.
    assert (H : In t (filter (fun k => no_smaller order (x k) (max_of order (taps n) x)) (taps n))).
    { apply filter_In. split; [apply in_range, T | apply no_smaller_iff; auto]. }
    destruct (filter _ (taps n)); [destruct H | cbn [length]; lia]. }
  apply (one_zero F). rewrite <- (recip_spec F c C), E. ring.
Qed.
Theorem split_sum (n : Z) (x : Z -> F) : 1 <= n -> sum (taps n) (split_share n x) = one.
Proof.
  intros N. unfold split_share. rewrite <- (sum_mul F). apply inverse_spec, some_largest, N.
Qed.
Theorem split_selection none (n : Z) (x : Z -> F) : 1 <= n ->
  sum (taps n) (fun k => split_share n x k · x k) = maximum order none (taps n) x.
Proof.
  intros N. destruct (first_largest x n N) as (t & T & _ & U). rewrite (maximum_is none x n t T U).
  transitivity (sum (taps n) (fun k => split_share n x k · x t)).
  - apply sum_ext. intros k K. apply in_range in K. unfold split_share, is_largest.
    destruct (no_smaller order (x k) _) eqn:C; [|cbn; ring]. rewrite no_smaller_iff in C.
    rewrite (le_antisym order (x k) (x t)); auto.
  - rewrite <- (sum_mul F), split_sum by auto. ring.
Qed.
End Taps.
